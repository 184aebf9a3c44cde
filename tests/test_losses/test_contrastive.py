import numpy as np
import pytest
import torch

from pcdet_kd.losses.contrastive import (
    NoiseContrastLoss,
    contrast_log_odds,
    log_normalizer,
    noise_contrast,
)

GENERATOR = torch.Generator().manual_seed(0)
SIMILARITY = 2 * torch.rand(4, 9, dtype=torch.float64, generator=GENERATOR) - 1


def test_it_is_the_authors_formula():
    """Tian et al., equations 14 to 18, with the released estimate of Z and its 1e-7."""
    n, t, s = 50, 0.07, SIMILARITY.numpy()
    raw = np.exp(s / t)
    z = raw.mean() * n
    p, pn, k = raw / z, 1 / n, 8
    true = np.log(p[:, 0] / (p[:, 0] + k * pn + 1e-7))
    drawn = np.log(k * pn / (p[:, 1:] + k * pn + 1e-7))
    expected = -(true.sum() + drawn.sum()) / 4
    log_z = log_normalizer(SIMILARITY, n, t)
    assert log_z.item() == pytest.approx(np.log(z), rel=1e-12)
    odds = contrast_log_odds(SIMILARITY, log_z, n, t)
    np.testing.assert_allclose(odds.numpy(), np.log(p / (k * pn)), rtol=1e-10)
    value = noise_contrast(odds)
    assert value.item() == pytest.approx(expected, rel=1e-5)
    assert torch.equal(NoiseContrastLoss()(odds), 0.8 * value)


def test_precision(keeps_float32):
    keeps_float32(noise_contrast, SIMILARITY)
    keeps_float32(lambda s: contrast_log_odds(s, torch.zeros(()), 50, 0.07).sum(), SIMILARITY)
    keeps_float32(lambda s: log_normalizer(s, 50, 0.07), SIMILARITY)


def test_there_must_be_pairs_to_compare_with():
    with pytest.raises(ValueError, match=r'log_odds has shape \(4, 1\), expected \(B, 1 \+ K\)'):
        NoiseContrastLoss()(SIMILARITY[:, :1])
