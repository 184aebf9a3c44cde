"""What every batch augment promises; registering one tests it."""

import numpy as np
import pytest
import torch

from pcdet_kd.models.batch_augments import BatchAugment
from pcdet_kd.models.batch_augments.base import random_index
from pcdet_kd.registry import BATCH_AUGMENTS

METHODS = {
    'PointCutMix': [dict(variant='R'), dict(variant='K')],
    'PointMixup': [dict()],
    'RSMix': [dict(), dict(neighborhood='knn')],
    'RandomBatchAugment': [dict(augments=dict(type='RSMix'))],
}
CASES = [(name, options) for name, several in METHODS.items() for options in several]
each = pytest.mark.parametrize('name, options', CASES, ids=[f'{n} {o}' for n, o in CASES])


def build(name, options):
    return BATCH_AUGMENTS.build(dict(type=name, **options))


def test_all_are_listed():
    assert sorted(BATCH_AUGMENTS.names()) == sorted(METHODS)


@each
def test_shapes_labels_and_nothing_in_place(name, options, clouds):
    points, score = clouds
    before = points.clone(), score.clone()
    for seed in range(5):
        mixed, shares = build(name, options)(points, score, np.random.default_rng(seed))
        assert (
            mixed.shape == points.shape
            and mixed.dtype == points.dtype
            and torch.isfinite(mixed).all()
        )
        assert shares.shape == score.shape and shares.dtype == torch.float32 and (shares >= 0).all()
        torch.testing.assert_close(shares.sum(1), torch.ones(6))
        assert ((shares > 0).sum(1) <= 2).all()
    assert torch.equal(points, before[0]) and torch.equal(score, before[1])


@each
def test_the_same_generator_the_same_batch(name, options, clouds):
    outs = [build(name, options)(*clouds, np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert torch.equal(outs[0][0], outs[1][0]) and torch.equal(outs[0][1], outs[1][1])
    assert not torch.equal(outs[0][0], outs[2][0])


@each
@pytest.mark.parametrize('shape', [(1, 1, 3), (3, 1, 3), (2, 2, 6), (1, 40, 3)])
def test_tiny_clouds_and_batches(name, options, shape):
    for seed in range(4):
        mixed, shares = build(name, options)(
            torch.randn(shape), torch.eye(shape[0]), np.random.default_rng(seed)
        )
        assert torch.isfinite(mixed).all() and mixed.shape == shape
        torch.testing.assert_close(shares.sum(1), torch.ones(shape[0]))


@each
def test_clouds_of_one_position_stay_finite(name, options):
    mixed, _ = build(name, options)(torch.ones(3, 8, 3), torch.eye(3), np.random.default_rng(0))
    assert torch.equal(mixed, torch.ones(3, 8, 3))


@each
def test_float64_stays_float64(name, options, clouds):
    mixed, shares = build(name, options)(
        clouds[0].double(), clouds[1].double(), np.random.default_rng(0)
    )
    assert mixed.dtype == shares.dtype == torch.float64


def test_every_cloud_is_a_partner_once_and_labels_follow(clouds):
    class Swap(BatchAugment):
        def mix(self, points, others, rng):
            return others, torch.full((len(points),), 0.25)

    points, score = clouds
    mixed, shares = Swap()(points, score, np.random.default_rng(0))
    partner = (mixed[:, 0, 3] // 32).long()
    assert sorted(partner.tolist()) == list(range(6)) and partner.tolist() != list(range(6))
    torch.testing.assert_close(shares, 0.75 * score + 0.25 * score[partner])


def test_random_index_is_uniform():
    index = random_index(np.random.default_rng(0), torch.zeros(2000, 4, 3))
    counts = torch.bincount(index, minlength=4)
    assert len(counts) == 4 and (counts > 400).all()
