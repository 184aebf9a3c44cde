"""A spread of embeddings."""

from torch import Tensor, nn

from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES


@LOSSES.register_module()
class KoLeoLoss(nn.Module):
    """The Kozachenko-Leonenko estimate of entropy, negated: embeddings are driven apart
    (Sablayrolles et al., ICLR 2019; DINOv2; AsymDSD).

    In several processes neighbours are searched among the embeddings of all of them.

    Args:
        loss_weight: Factor.
    """

    def __init__(self, loss_weight: float = 0.01) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor) -> Tensor:
        """Return the weighted loss of embeddings (B, D), or (B, V, D), where each of V views is
        compared with the same view of the other samples.
        """
        return self.loss_weight * functional.koleo(student_feat)
