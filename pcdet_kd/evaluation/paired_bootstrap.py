"""Bootstrap intervals over test samples: of a mean, and of the difference of two models on the same
samples.
"""

from typing import NamedTuple

import numpy as np

_CHUNK = 500


class Interval(NamedTuple):
    """An estimate and the ends of its interval, (k,) float64 each."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def bootstrap(
    values: np.ndarray, draws: int = 5000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Return means with percentile bootstrap intervals (Efron and Tibshirani, 1993).

    Samples are drawn with replacement. All k columns of a sample are drawn together: the corrupted
    versions of one shape depend on each other, so that shapes are drawn and not clouds. With
    several runs, each draw also draws the runs, so that the interval includes the spread between
    seeds; with only two or three runs the intervals are too short.

    Args:
        values: (n, k), or (runs, n, k).
        draws: Number of bootstrap draws.
        level: Confidence level of the interval.
        seed: Seed of the draws. The same seed and n give the same draws for any values.

    Raises:
        ValueError: Another shape, no samples, or not 0 < level < 1.
    """
    return _interval([_runs(values)], draws, level, seed)


def paired_bootstrap(
    values: np.ndarray, reference: np.ndarray, draws: int = 5000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Return mean differences ``values - reference`` with intervals; see :func:`bootstrap`.

    Each draw takes the same samples of both, which removes the spread that both models share from
    the interval. Runs of the two are drawn independently of each other.

    Args:
        values: (n, k), or (runs, n, k).
        reference: (n, k), or (other runs, n, k), of the same samples.
        draws, level, seed: As in :func:`bootstrap`.
    """
    values, reference = _runs(values), _runs(reference)
    if values.shape[1:] != reference.shape[1:]:
        raise ValueError(
            f'values of {values.shape[1:]} samples and columns, reference of '
            f'{reference.shape[1:]}: must be the same'
        )
    return _interval([values, reference], draws, level, seed)


def _runs(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(
            f'values have shape {values.shape}, must be (n, k) or (runs, n, k) with at least one '
            'sample'
        )
    return values


def _interval(models: list[np.ndarray], draws: int, level: float, seed: int) -> Interval:
    """One model: its mean. Two: the first minus the second."""
    if not 0 < level < 1 or draws < 1:
        raise ValueError(
            f'level is {level}, must be between 0 and 1; draws is {draws}, must be at least 1'
        )
    samples, runs = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    n = models[0].shape[1]
    signs = (1.0, -1.0)
    drawn = []
    for start in range(0, draws, _CHUNK):
        size = min(_CHUNK, draws - start)
        weights = samples.multinomial(n, np.full(n, 1 / n), size=size) / n
        total = 0.0
        for sign, model in zip(signs, models):
            shares = runs.multinomial(
                len(model), np.full(len(model), 1 / len(model)), size=size
            ) / len(model)
            means = np.stack([weights @ run for run in model])  # (runs, draws, k)
            total = total + sign * np.einsum('dr,rdk->dk', shares, means)
        drawn.append(total)
    value = sum(sign * model.mean(axis=(0, 1)) for sign, model in zip(signs, models))
    low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Interval(value, low, high)
