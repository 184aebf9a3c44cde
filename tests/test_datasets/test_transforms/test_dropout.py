import numpy as np
import pytest

from pcdet_kd.datasets.transforms import RandomPointDropout


def test_dropped_points_become_the_first():
    n = 1000
    results = dict(
        points=np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32), mask=np.arange(n)
    )
    shares = []
    for _ in range(200):
        out = RandomPointDropout()(results)
        dropped = out['mask'] == 0
        np.testing.assert_array_equal(out['points'], results['points'][out['mask']])
        np.testing.assert_array_equal(out['mask'][~dropped], np.arange(n)[~dropped])
        shares.append(dropped.mean())
    assert max(shares) < 0.875 + 0.05 and max(shares) > 0.8 and min(shares) < 0.05
    assert np.mean(shares) == pytest.approx(0.4375, abs=0.06)


def test_wrong_arguments():
    with pytest.raises(ValueError, match='max_ratio is 1'):
        RandomPointDropout(1)
