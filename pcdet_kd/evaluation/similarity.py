"""How alike two representations of the same samples are."""

import numpy as np


def linear_cka(one: np.ndarray, other: np.ndarray) -> float:
    r"""Return the linear centred kernel alignment of two representations, in [0, 1].

    :math:`\|Y^T X\|_F^2 / (\|X^T X\|_F \, \|Y^T Y\|_F)` with centred columns (Kornblith et al.,
    "Similarity of Neural Network Representations Revisited", ICML 2019). It does not change under
    rotations and a common scale of the features, so that layers of any widths can be compared.

    Args:
        one: Features, (n, p).
        other: Features of the same samples, (n, q).

    Returns:
        1 for representations that are equal up to rotation and scale; NaN if one of them is
        constant.

    Raises:
        ValueError: The numbers of samples differ.
    """
    x, y = (np.asarray(values, np.float64) for values in (one, other))
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise ValueError(f'features are {x.shape} and {y.shape}, must be (n, p) and (n, q)')
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    own = np.linalg.norm(_gram(x)) * np.linalg.norm(_gram(y))
    if own == 0:
        return float('nan')
    return float(np.linalg.norm(y.T @ x) ** 2 / own)


def _gram(x: np.ndarray) -> np.ndarray:
    """The smaller of X^T X and X X^T: both have one Frobenius norm."""
    return x.T @ x if x.shape[1] <= x.shape[0] else x @ x.T
