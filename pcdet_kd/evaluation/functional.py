"""Accuracy from class indices: pure functions over NumPy arrays."""

import numpy as np


def confusion_matrix(target: np.ndarray, pred: np.ndarray, num_classes: int) -> np.ndarray:
    """Count how often each class was predicted as each class.

    Args:
        target: (n,) true classes.
        pred: (n,) predicted classes.
        num_classes: K.

    Returns:
        (K, K) int64; entry (i, j) counts the samples of class i that were predicted as class j.

    Raises:
        ValueError: The lengths differ, or a class is outside [0, K).
    """
    target, pred = np.asarray(target, np.int64), np.asarray(pred, np.int64)
    if target.shape != pred.shape or target.ndim != 1:
        raise ValueError(
            f'target has shape {target.shape} and pred {pred.shape}, both must be (n,)'
        )
    for name, values in (('target', target), ('pred', pred)):
        bad = np.flatnonzero((values < 0) | (values >= num_classes))
        if len(bad):
            raise ValueError(
                f'{name}[{bad[0]}] is class {values[bad[0]]}, must be in 0 to {num_classes - 1}'
            )
    return np.bincount(target * num_classes + pred, minlength=num_classes**2).reshape(
        num_classes, num_classes
    )


def overall_accuracy(matrix: np.ndarray) -> float:
    """Return the percentage of correctly classified samples (OA) of a (K, K) confusion matrix.

    Raises:
        ValueError: The matrix counts no sample.
    """
    total = matrix.sum()
    if not total:
        raise ValueError('the confusion matrix counts 0 samples: accuracy is not defined')
    return 100 * float(np.trace(matrix)) / float(total)


def class_recalls(matrix: np.ndarray) -> np.ndarray:
    """Return, for each class, the percentage of its samples that were found: (K,) float64, NaN for
    a class without any.
    """
    return _percentage(np.diagonal(matrix), matrix.sum(axis=1))


def class_precisions(matrix: np.ndarray) -> np.ndarray:
    """Return, for each class, the percentage of its predictions that are right: (K,) float64, NaN
    if never predicted.
    """
    return _percentage(np.diagonal(matrix), matrix.sum(axis=0))


def mean_class_accuracy(matrix: np.ndarray) -> float:
    """Return the mean of the per-class recalls (mAcc, "balanced accuracy"), in percent.

    Classes without samples are left out of the mean. The recalls are those of the whole set:
    averaging the recalls of batches, as some released point-cloud code does, gives another number.

    Raises:
        ValueError: The matrix counts no sample.
    """
    recalls = class_recalls(matrix)
    if np.isnan(recalls).all():
        raise ValueError('the confusion matrix counts 0 samples: accuracy is not defined')
    return float(np.nanmean(recalls))


def _percentage(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    result = np.full(len(whole), np.nan)
    np.divide(100 * part.astype(np.float64), whole, out=result, where=whole > 0)
    return result
