import numpy as np
import pytest

from pcdet_kd.evaluation.calibration import reliability


def ece_by_definition(confidence, right, bins):
    total = 0.0
    for b in range(bins):
        inside = [i for i, c in enumerate(confidence) if b / bins < c <= (b + 1) / bins]
        if inside:
            accuracy = sum(right[i] for i in inside) / len(inside)
            mean = sum(confidence[i] for i in inside) / len(inside)
            total += len(inside) / len(confidence) * abs(accuracy - mean)
    return 100 * total


def test_the_error_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.02, 1, 500)
    right = rng.random(500) < confidence**2
    for bins in (5, 15):
        found = reliability(confidence, right, bins)
        assert found.ece == pytest.approx(ece_by_definition(confidence, right, bins))
        assert found.counts.sum() == 500 and len(found.confidence) == bins


def test_bins_hold_their_upper_end():
    found = reliability(np.array([0.5, 0.51, 1.0, 0.0]), np.array([1, 0, 1, 0], bool), 2)
    assert found.counts.tolist() == [2, 2] and found.accuracy.tolist() == [0.5, 0.5]
    assert found.confidence.tolist() == [0.25, pytest.approx(0.755)]


def test_a_calibrated_model_has_no_error():
    assert reliability(np.full(10, 0.7), np.arange(10) < 7).ece == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize('confidence', [[], [1.2], [-0.1]])
def test_confidences_are_probabilities(confidence):
    with pytest.raises(ValueError, match=r'in \[0, 1\]'):
        reliability(np.array(confidence), np.ones(len(confidence), bool))
