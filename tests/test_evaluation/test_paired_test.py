from math import comb

import numpy as np
import pytest

from pcdet_kd.evaluation.paired_test import Difference, compare_right, mcnemar, sentence


def exact_p(one, other):
    """Twice the smaller tail of Binomial(one + other, 1/2), written out."""
    n = one + other
    tail = sum(comb(n, k) for k in range(min(one, other) + 1)) / 2**n
    return min(1.0, 2 * tail)


@pytest.mark.parametrize(('one', 'other'), [(0, 0), (5, 0), (9, 2), (7, 7), (30, 12), (12, 30)])
def test_mcnemar_is_the_exact_binomial_test(one, other):
    assert mcnemar(one, other) == pytest.approx(exact_p(one, other), abs=1e-12)


def outcomes(both, model, reference, neither):
    right = [1] * both + [1] * model + [0] * reference + [0] * neither
    other = [1] * both + [0] * model + [1] * reference + [0] * neither
    return np.array(right, bool), np.array(other, bool)


def test_one_run_each():
    found = compare_right(*outcomes(50, 20, 5, 25))
    assert found.counts == dict(both=50, model=20, reference=5, neither=25)
    assert found.gain == pytest.approx(15) and found.runs == (1, 1) and found.shapes == 100
    assert found.p_mcnemar == pytest.approx(exact_p(20, 5)) and found.p_seeds is None
    # of a difference of paired zeros and ones: variance (b + c - (b - c)^2 / n) / n^2
    half = 1.96 * 100 * np.sqrt(25 - 15**2 / 100) / 100
    assert found.low == pytest.approx(15 - half, abs=1) and found.clear
    assert found.high == pytest.approx(15 + half, abs=1)


def test_several_runs_have_a_paired_t_test():
    rng = np.random.default_rng(0)
    reference = rng.random((3, 400)) < 0.5
    model = reference | (rng.random((3, 400)) < np.array([[0.1], [0.15], [0.2]]))
    found = compare_right(model, reference)
    gains = 100 * (model.mean(1) - reference.mean(1))
    t = gains.mean() / (gains.std(ddof=1) / np.sqrt(3))
    p = 1 - t / np.sqrt(2 + t**2)  # two-sided p of Student's t with 2 degrees of freedom
    assert found.p_seeds == pytest.approx(p) and found.p_mcnemar is None
    assert found.gain == pytest.approx(gains.mean()) and found.runs == (3, 3)
    pairs = np.mean([[(a & ~b).sum() for a in model] for b in reference])
    assert found.counts['model'] == pytest.approx(pairs)
    assert sum(found.counts.values()) == pytest.approx(400)


def test_no_t_test_without_pairs_or_spread():
    reference = np.array([[1, 0, 0, 0], [0, 1, 0, 0]], bool)
    assert compare_right(reference[:, ::-1], reference).p_seeds is None
    assert compare_right(np.ones((3, 4), bool), reference).p_seeds is None


def difference(gain, low, high, p=None, p_seeds=None, runs=(1, 1)):
    return Difference(gain, low, high, runs, 600, {}, p, p_seeds)


@pytest.mark.parametrize(
    ('given', 'words'),
    [
        (difference(2, 0.5, 3.5, 0.01), 'new is better than old: +2.0 points OA (95 % interval'),
        (difference(-2, -3.5, -0.5, 0.01), 'new is worse than old: -2.0'),
        (difference(2, -0.5, 4.5, 0.2), 'No clear gain of new over old: +2.0'),
        (difference(-2, -4.5, 0.5, 0.2), 'No clear loss of new over old'),
        (difference(0, 0, 0, 1.0), 'No clear gain'),
        (
            difference(2, 0.5, 3.5, None, 0.3, (3, 3)),
            'No clear gain of new over old, says the paired t-test over runs: +2.0',
        ),
        (difference(2, 0.5, 3.5, None, 0.01, (3, 3)), 'p = 0.01; 600 shapes, 3 and 3 runs)'),
    ],
)
def test_plain_words(given, words):
    assert words in sentence(given, 'new', 'old')
