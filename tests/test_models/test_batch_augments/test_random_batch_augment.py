from collections import Counter

import numpy as np
import pytest

from pcdet_kd.models.batch_augments import PointMixup, RandomBatchAugment


def counts(augment, n=2000):
    return Counter(augment(None, 'as it was', np.random.default_rng(seed))[1] for seed in range(n))


def named(name):
    return lambda points, score, rng: (points, name)


def test_each_is_drawn_with_its_probability_and_the_rest_is_left_alone():
    drawn = counts(RandomBatchAugment([named('a'), named('b')], [0.5, 0.2]))
    assert (
        abs(drawn['a'] - 1000) < 80
        and abs(drawn['b'] - 400) < 60
        and abs(drawn['as it was'] - 600) < 70
    )
    assert abs(counts(RandomBatchAugment(named('a'), 0.5))['a'] - 1000) < 80
    drawn = counts(RandomBatchAugment([named('a'), named('b'), named('c')]))
    assert set(drawn) == {'a', 'b', 'c'} and min(drawn.values()) > 580
    assert counts(RandomBatchAugment(named('a'), 0.0), 50) == {'as it was': 50}


def test_a_batch_that_is_left_alone_is_the_very_one(clouds):
    points, score = clouds
    out = RandomBatchAugment(dict(type='PointMixup'), probs=0)(
        points, score, np.random.default_rng(0)
    )
    assert out[0] is points and out[1] is score


def test_configs_are_built():
    augment = RandomBatchAugment(
        [dict(type='PointMixup', alpha=1.0), PointMixup()], probs=[0.5, 0.5]
    )
    assert [a.alpha for a in augment.augments] == [1.0, 0.4]
    with pytest.raises(
        KeyError, match="'PointMixUp' is not a registered batch augment. Did you mean 'PointMixup'"
    ):
        RandomBatchAugment(dict(type='PointMixUp'))
    with pytest.raises(KeyError, match="'PointNet' is a backbone, not a batch augment"):
        RandomBatchAugment(dict(type='PointNet'))


@pytest.mark.parametrize('probs', [[0.5], [0.6, 0.6], [-0.1, 0.5]])
def test_bad_probabilities(probs):
    with pytest.raises(ValueError, match='probs'):
        RandomBatchAugment([named('a'), named('b')], probs)
    with pytest.raises(ValueError, match='0 augments'):
        RandomBatchAugment([])
