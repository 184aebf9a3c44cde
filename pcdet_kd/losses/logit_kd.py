"""Distillation of class scores."""

from torch import Tensor, nn

from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES
from pcdet_kd.utils.arguments import check_choice


@LOSSES.register_module()
class LogitKDLoss(nn.Module):
    """T^2 KL(teacher || student) of softened class probabilities (Hinton et al., 2015).

    Args:
        temperature: T > 0.
        reduction: ``'batchmean'``, or ``'sum'`` over the batch as in PointCMT's released code,
            whose weight therefore grows with the batch size.
        detach_target: Stop the gradient to the teacher's logits. PointCMT does not stop it: its
            target passes through the student's classifier.
        loss_weight: Factor.
    """

    def __init__(
        self,
        temperature: float = 4.0,
        reduction: str = 'batchmean',
        detach_target: bool = True,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_choice('reduction', reduction, ('batchmean', 'sum'))
        if not temperature > 0:
            raise ValueError(f'temperature is {temperature}, expected a positive number')
        self.temperature = temperature
        self.reduction = reduction
        self.detach_target = detach_target
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Return the weighted loss of logits (B, K) and (B, K)."""
        return self.loss_weight * functional.logit_kd(
            student_logits, teacher_logits, self.temperature, self.reduction, self.detach_target
        )
