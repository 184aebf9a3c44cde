import numpy as np
import pytest

from pcdet_kd.evaluation import bootstrap, paired_bootstrap


def test_the_interval_of_a_mean_is_the_normal_one_for_many_samples():
    values = np.random.default_rng(0).normal(3, 2, (4000, 2))
    found = bootstrap(values, draws=4000)
    half = 1.96 * values.std(axis=0) / np.sqrt(4000)
    assert np.allclose(found.value, values.mean(axis=0))
    assert np.allclose(found.low, found.value - half, atol=0.15 * half.max())
    assert np.allclose(found.high, found.value + half, atol=0.15 * half.max())


def test_level():
    values = np.random.default_rng(0).normal(size=(500, 1))
    wide, narrow = bootstrap(values, level=0.99), bootstrap(values, level=0.5)
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high
    share = (narrow.high - narrow.low) / (2 * 0.6745 * values.std() / np.sqrt(500))
    assert abs(share - 1) < 0.1


def test_pairing_removes_what_is_hard_for_both():
    rng = np.random.default_rng(1)
    hard = rng.normal(0, 10, (300, 1))
    first, second = hard + rng.normal(1, 0.1, (300, 1)), hard + rng.normal(0, 0.1, (300, 1))
    found = paired_bootstrap(first, second)
    assert abs(found.value - 1) < 0.1 and found.high - found.low < 0.1
    assert bootstrap(first).high - bootstrap(first).low > 1
    other = paired_bootstrap(second, first)
    assert np.allclose(other.value, -found.value) and np.allclose(other.low, -found.high)
    same = paired_bootstrap(first, first)
    assert same.value == same.low == same.high == 0


def test_columns_of_a_sample_are_drawn_together():
    column = np.random.default_rng(2).normal(size=(80, 1))
    found = bootstrap(np.concatenate([column, -column], axis=1))
    assert np.allclose(found.low[0], -found.high[1])


def test_runs_are_drawn_too():
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.01, (200, 1))
    one = bootstrap(noise)
    runs = bootstrap(np.stack([noise - 1, noise, noise + 1]))
    assert np.isclose(runs.value, noise.mean()) and one.high - one.low < 0.01
    assert np.isclose(runs.low, -1, atol=0.02) and np.isclose(runs.high, 1, atol=0.02)
    found = paired_bootstrap(np.stack([noise - 1, noise + 1]), noise)
    assert found.low < -0.9 and found.high > 0.9 and np.isclose(found.value, 0)


def test_samples_are_drawn_alike_however_many_runs_there_are():
    values = np.random.default_rng(5).normal(size=(60, 2))
    one, two = bootstrap(values, 1500), bootstrap(np.stack([values, values]), 1500)
    assert np.allclose(one.low, two.low) and np.allclose(one.high, two.high)
    other = np.random.default_rng(6).normal(size=(60, 2))
    one, two = paired_bootstrap(values, other), paired_bootstrap([values, values], [other] * 3)
    assert np.allclose(one.low, two.low) and np.allclose(one.high, two.high)


def test_runs_are_drawn_independently_of_samples_and_of_the_other_models_runs():
    agrees = 2 * np.eye(2)[..., None] - 1  # two runs, each right on a sample of its own
    found = bootstrap(agrees, 1000)  # (1 - 2p)(1 - 2q), and never negative if p were q
    assert found.low == -1 and found.high == 1
    runs = np.stack([np.zeros((20, 1)), np.ones((20, 1))])
    found = paired_bootstrap(runs, runs)
    assert found.value == 0 and found.low == -1 and found.high == 1


def test_the_same_seed_gives_the_same_draws():
    values = np.random.default_rng(4).normal(size=(50, 3))
    assert np.array_equal(bootstrap(values), bootstrap(values))
    assert not np.array_equal(bootstrap(values).low, bootstrap(values, seed=1).low)


@pytest.mark.parametrize(
    'values, options, words',
    [
        (np.zeros(3), {}, r'\(3,\)'),
        (np.zeros((0, 2)), {}, 'at least one sample'),
        (np.zeros((3, 1)), dict(level=1), 'level is 1'),
        (np.zeros((3, 1)), dict(draws=0), 'draws is 0'),
    ],
)
def test_mistakes(values, options, words):
    with pytest.raises(ValueError, match=words):
        bootstrap(values, **options)


def test_other_samples_cannot_be_paired():
    with pytest.raises(ValueError, match=r'\(4, 1\)'):
        paired_bootstrap(np.zeros((3, 1)), np.zeros((4, 1)))
