"""Classification loss with label smoothing."""

from torch import Tensor, nn

from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES
from pcdet_kd.utils.arguments import check_choice


@LOSSES.register_module()
class CrossEntropyLoss(nn.Module):
    """Cross-entropy with label smoothing, averaged over the batch (Szegedy et al., CVPR 2016).

    Args:
        label_smoothing: eps in [0, 1).
        smoothing: ``'uniform'`` (PyTorch's convention, eps/K on every class) or ``'others'``
            (eps/(K - 1) on every class but the true one: DGCNN, PointCMT, PointMLP; eps = 0.2
            there). See :func:`.functional.cross_entropy`.
        loss_weight: Factor.
    """

    def __init__(
        self, label_smoothing: float = 0.0, smoothing: str = 'uniform', loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        check_choice('smoothing', smoothing, ('uniform', 'others'))
        if not 0 <= label_smoothing < 1:
            raise ValueError(f'label_smoothing is {label_smoothing}, expected a number in [0, 1)')
        self.label_smoothing = label_smoothing
        self.smoothing = smoothing
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss of logits (B, K) and classes (B,), or shares of classes (B, K)
        float.
        """
        return self.loss_weight * functional.cross_entropy(
            student_logits, target, self.label_smoothing, self.smoothing
        )
