import numpy as np
import pytest

from pcdet_kd.evaluation import (
    class_precisions,
    class_recalls,
    confusion_matrix,
    mean_class_accuracy,
    overall_accuracy,
)

TARGET = np.array([0, 0, 0, 1, 1, 3])
PRED = np.array([0, 0, 1, 1, 2, 3])


def test_confusion_matrix_counts_true_classes_in_rows():
    expected = [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert confusion_matrix(TARGET, PRED, 4).tolist() == expected


def test_metrics_against_a_float64_loop():
    rng = np.random.default_rng(0)
    target, pred = rng.integers(0, 7, 200), rng.integers(0, 7, 200)
    matrix = confusion_matrix(target, pred, 7)
    recalls = [100 * np.float64((pred[target == c] == c).mean()) for c in range(7)]
    precisions = [100 * np.float64((target[pred == c] == c).mean()) for c in range(7)]
    assert overall_accuracy(matrix) == pytest.approx(100 * (target == pred).mean(), abs=1e-12)
    np.testing.assert_allclose(class_recalls(matrix), recalls, rtol=1e-14)
    np.testing.assert_allclose(class_precisions(matrix), precisions, rtol=1e-14)
    assert mean_class_accuracy(matrix) == pytest.approx(np.mean(recalls), abs=1e-12)


def test_absent_class_is_left_out_of_the_mean():
    matrix = confusion_matrix(TARGET, PRED, 4)
    np.testing.assert_allclose(class_recalls(matrix), [200 / 3, 50, np.nan, 100])
    assert mean_class_accuracy(matrix) == pytest.approx((200 / 3 + 50 + 100) / 3)
    np.testing.assert_allclose(class_precisions(matrix), [100, 50, 0, 100])


@pytest.mark.parametrize('function', [overall_accuracy, mean_class_accuracy])
def test_no_samples_is_an_error(function):
    with pytest.raises(ValueError, match='0 samples'):
        function(np.zeros((3, 3), np.int64))


@pytest.mark.parametrize(
    'target, pred, message',
    [
        ([0, 4], [0, 0], r'target\[1\] is class 4, must be in 0 to 3'),
        ([0, 1], [0, -1], r'pred\[1\] is class -1'),
        ([0, 1], [0], 'shape'),
    ],
)
def test_confusion_matrix_refuses(target, pred, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(np.array(target), np.array(pred), 4)
