import numpy as np
import pytest

from pcdet_kd.evaluation.similarity import linear_cka

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 5)), RNG.normal(size=(30, 8))


def by_kernels(x, y):
    """HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) with linear kernels."""
    n = len(x)
    centre = np.eye(n) - np.ones((n, n)) / n
    k, m = (centre @ (values @ values.T) @ centre for values in (x, y))
    return np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m))


def test_it_is_the_alignment_of_linear_kernels():
    assert linear_cka(X, Y) == pytest.approx(by_kernels(X, Y))
    wide = RNG.normal(size=(30, 100))
    assert linear_cka(X, wide) == pytest.approx(by_kernels(X, wide))
    assert linear_cka(wide, X) == pytest.approx(linear_cka(X, wide))


def test_rotation_scale_and_shift_do_not_count():
    rotation = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
    assert linear_cka(X, 3 * X @ rotation + 7) == pytest.approx(1)
    assert linear_cka(X * [1, 1, 1, 1, 9], X) < 0.9


def test_what_has_no_answer():
    assert np.isnan(linear_cka(X, np.ones((30, 2))))
    with pytest.raises(ValueError, match='must be'):
        linear_cka(X, Y[:20])
