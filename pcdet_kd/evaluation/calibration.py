"""Does a model's confidence tell how often it is right?"""

from typing import NamedTuple

import numpy as np


class Reliability(NamedTuple):
    """Confidence against accuracy, in bins of equal width.

    Attributes:
        counts: Samples in each bin, (bins,) int64.
        confidence: Their mean confidence, (bins,) float64, 0 in an empty bin.
        accuracy: The share of them that is right, (bins,) float64, 0 in an empty bin.
        ece: Expected calibration error, in percent.
    """

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    ece: float


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> Reliability:
    r"""Return a reliability diagram's content and the expected calibration error.

    :math:`ECE = \sum_b n_b / n \, |acc_b - conf_b|` over bins of equal width in (0, 1] (Naeini et
    al., 2015; Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, with 15 bins).

    Args:
        confidence: Probability of the predicted class, (n,), in [0, 1].
        right: Whether the prediction is right, (n,) bool.
        bins: Number of bins.

    Raises:
        ValueError: There is no sample, or a confidence is outside [0, 1].
    """
    confidence, right = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if not len(confidence) or confidence.min() < 0 or confidence.max() > 1 + 1e-6:
        raise ValueError('confidences of at least one sample are needed, in [0, 1]')
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    filled = np.maximum(counts, 1)
    mean = np.bincount(place, confidence, bins) / filled
    accuracy = np.bincount(place, right, bins) / filled
    ece = 100 * float(np.sum(counts * np.abs(accuracy - mean)) / len(confidence))
    return Reliability(counts, mean, accuracy, ece)
