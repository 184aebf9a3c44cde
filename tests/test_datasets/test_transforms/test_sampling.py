import numpy as np
import pytest

from pcdet_kd.datasets.transforms import (
    FarthestPoints,
    FarthestThenRandom,
    FirstPoints,
    RandomPoints,
)


def sample(n, seed=0):
    points = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return dict(points=points, mask=np.arange(n), heights=points[:, 1:2].copy())


def farthest_reference(points, m):
    points = points.astype(np.float64)
    chosen = [0]
    while len(chosen) < m:
        distance = ((points[:, None] - points[chosen]) ** 2).sum(-1).min(1)
        chosen.append(int(distance.argmax()))
    return chosen


ALL = [FirstPoints(8), RandomPoints(8), FarthestPoints(8), FarthestThenRandom(8, 12)]


@pytest.mark.parametrize('transform', ALL, ids=repr)
def test_arrays_follow_the_points(transform):
    results = sample(30)
    out = transform(results)
    assert out['points'].shape == (8, 3) and len(set(out['mask'])) == 8
    np.testing.assert_array_equal(results['points'][out['mask']], out['points'])
    np.testing.assert_array_equal(results['heights'][out['mask']], out['heights'])


@pytest.mark.parametrize('transform', ALL, ids=repr)
def test_short_clouds_are_errors(transform):
    with pytest.raises(ValueError, match=r"has 7 points, num_points is 8.*on_short='resample'"):
        transform(sample(7))
    assert len(transform(sample(8))['points']) == 8


@pytest.mark.parametrize(
    'transform',
    [
        FirstPoints(8, 'resample'),
        RandomPoints(8, 'resample'),
        FarthestPoints(8, 'resample'),
        FarthestThenRandom(8, 12, 'resample'),
    ],
    ids=repr,
)
def test_resample(transform):
    assert transform(sample(3))['mask'].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert len(set(transform(sample(20))['mask'])) == 8
    with pytest.raises(ValueError, match='has 0 points'):
        transform(sample(0))


def test_first():
    assert FirstPoints(4)(sample(9))['mask'].tolist() == [0, 1, 2, 3]


def test_random_reaches_all_points_in_any_order():
    drawn = [tuple(RandomPoints(3)(sample(5))['mask']) for _ in range(300)]
    assert {i for d in drawn for i in d} == set(range(5)) and len(set(drawn)) > 50


def test_farthest_starts_at_the_first_point():
    results = sample(50)
    assert FarthestPoints(12)(results)['mask'].tolist() == farthest_reference(results['points'], 12)


def test_farthest_then_random_takes_from_the_farthest():
    results = sample(50)
    pool = farthest_reference(results['points'], 12)
    drawn = [FarthestThenRandom(8, 12)(results)['mask'] for _ in range(30)]
    assert {i for d in drawn for i in d} == set(pool) and len({tuple(d) for d in drawn}) == 30
    assert set(FarthestThenRandom(8, 1200)(sample(9))['mask']) <= set(
        range(9)
    )  # fewer than num_farthest is fine


def test_wrong_arguments():
    with pytest.raises(ValueError, match='num_points is 0'):
        FirstPoints(0)
    with pytest.raises(ValueError, match="on_short is 'pad'"):
        FirstPoints(3, 'pad')
    with pytest.raises(ValueError, match='num_farthest is 10'):
        FarthestThenRandom(11, 10)
