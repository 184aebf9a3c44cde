"""Noise-contrastive distillation of embeddings."""

import math

from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.losses.functional import full_precision
from pcdet_kd.registry import LOSSES


@full_precision
def log_normalizer(similarity: Tensor, num_samples: int, temperature: float) -> Tensor:
    r"""Return :math:`\log Z = \log\big(N\,mean\,e^{s / \tau}\big)`, the estimate that CRD makes
    from its first batch and keeps.

    Args:
        similarity: Cosines s of any shape.
        num_samples: N, the samples in the memory.
        temperature: :math:`\tau`.

    Returns:
        A scalar.
    """
    scaled = similarity.flatten() / temperature
    return scaled.logsumexp(0) + math.log(num_samples / scaled.numel())


@full_precision
def contrast_log_odds(
    similarity: Tensor, log_z: Tensor, num_samples: int, temperature: float
) -> Tensor:
    r"""Return :math:`\log P - \log(K P_n)` with :math:`P = e^{s / \tau} / Z` and :math:`P_n = 1 /
    N`: the logarithm of the odds that a pair is true and not one of K drawn at random.

    Args:
        similarity: (B, 1 + K) cosines s.
        log_z: Scalar, see :func:`log_normalizer`.
        num_samples: N.
        temperature: :math:`\tau`.

    Returns:
        (B, 1 + K).
    """
    drawn = similarity.shape[1] - 1
    return similarity / temperature - log_z - math.log(drawn / num_samples)


@full_precision
def noise_contrast(log_odds: Tensor) -> Tensor:
    r"""Return the mean over the batch of :math:`-\log \frac{P(x_0)}{P(x_0) + K P_n} - \sum_{k=1}^K
    \log \frac{K P_n}{P(x_k) + K P_n}`.

    With :math:`o = \log P - \log(K P_n)` this is :math:`softplus(-o_0) + \sum_k softplus(o_k)`. The
    authors' code adds 1e-7 to each denominator, which this form does not need.

    Args:
        log_odds: (B, 1 + K): of the true pair, then of K pairs drawn at random.

    Returns:
        A scalar.
    """
    if log_odds.dim() != 2 or log_odds.shape[1] < 2:
        raise ValueError(f'log_odds has shape {tuple(log_odds.shape)}, expected (B, 1 + K)')
    return (F.softplus(-log_odds[:, 0]) + F.softplus(log_odds[:, 1:]).sum(1)).mean()


@LOSSES.register_module()
class NoiseContrastLoss(nn.Module):
    """The loss of contrastive representation distillation, CRD (Tian et al., ICLR 2020), see
    :func:`noise_contrast`.

    Args:
        loss_weight: Factor; the authors' 0.8, for each of the two directions.
    """

    def __init__(self, loss_weight: float = 0.8) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor) -> Tensor:
        """Return the weighted loss of log-odds (B, 1 + K), the true pair's first."""
        return self.loss_weight * noise_contrast(student_logits)
