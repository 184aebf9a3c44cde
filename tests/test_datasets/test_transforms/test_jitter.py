import numpy as np
import pytest

from pcdet_kd.datasets.transforms import RandomJitter

POINTS = np.zeros((20_000, 3), np.float32)


def test_size_of_the_noise():
    noise = RandomJitter()(dict(points=POINTS))['points']
    assert noise.std() == pytest.approx(0.01, rel=0.02) and abs(noise.mean()) < 2e-4
    clipped = RandomJitter(sigma=0.1, clip=0.05)(dict(points=POINTS))['points']
    assert np.abs(clipped).max() == pytest.approx(0.05) and (np.abs(clipped) >= 0.0499).mean() > 0.5
    np.testing.assert_array_equal(RandomJitter(sigma=0)(dict(points=POINTS + 1))['points'], 1)


def test_wrong_arguments():
    for kwargs in (dict(sigma=-1), dict(clip=0)):
        with pytest.raises(ValueError, match='must be'):
            RandomJitter(**kwargs)
