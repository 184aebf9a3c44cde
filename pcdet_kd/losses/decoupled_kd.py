"""Decoupled distillation of class scores."""

from torch import Tensor, nn

from pcdet_kd.losses import functional
from pcdet_kd.losses.joint_graph import decoupled_terms
from pcdet_kd.registry import LOSSES


def decoupled_kd(
    student_logits: Tensor,
    teacher_logits: Tensor,
    target: Tensor,
    alpha: float = 1.0,
    beta: float = 8.0,
    temperature: float = 4.0,
) -> Tensor:
    r"""Return :math:`\alpha\,TCKD + \beta\,NCKD`, the mean over the batch (Zhao et al., CVPR 2022).

    With :math:`p = softmax(z_t / T)` of the teacher, :math:`q = softmax(z_s / T)` of the student, c
    the target class, and hats for probabilities renormalised over the other classes:

    * :math:`TCKD = T^2\,KL\big((p_c, 1 - p_c)\,\|\,(q_c, 1 - q_c)\big)`,
    * :math:`NCKD = T^2\,KL(\hat p\,\|\,\hat q)`.

    :math:`TCKD + (1 - p_c)\,NCKD` is Hinton's loss. Everything is computed from logarithms, with
    the target left out instead of lowered by 1000 as in the authors' code, so that both parts are
    finite for any finite logits.

    Args:
        student_logits: (B, K) :math:`z_s`.
        teacher_logits: (B, K) :math:`z_t`, without gradient.
        target: (B,) int64 classes.
        alpha: Weight of TCKD.
        beta: Weight of NCKD.
        temperature: T > 0.

    Returns:
        A scalar.
    """
    functional.check_logits('student_logits', student_logits)
    functional.check_same(('student_logits', 'teacher_logits'), student_logits, teacher_logits)
    if target.shape != student_logits.shape[:1]:
        raise ValueError(
            f'target has shape {tuple(target.shape)}, expected ({len(student_logits)},) classes'
        )
    # joint_graph has both terms twice
    own, others = decoupled_terms(student_logits, teacher_logits.detach(), target, temperature)
    return (alpha * own + beta * others).mean() / 2


@LOSSES.register_module()
class DecoupledKDLoss(nn.Module):
    """Decoupled distillation, DKD (Zhao et al., CVPR 2022), see :func:`decoupled_kd`.

    Args:
        alpha: Weight of the target class's part.
        beta: Weight of the other classes' part. The paper tunes it for each pair; the authors' code
            has 8 for most pairs on CIFAR-100, 2 for some, 0.5 on ImageNet.
        temperature: T > 0; 4 on CIFAR-100, 1 on ImageNet.
        loss_weight: Factor. The authors raise it linearly over the first 20 epochs:
            ``LossWarmupHook(loss='logit', epochs=20, first=1)``.
    """

    needs_target = True

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 8.0,
        temperature: float = 4.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f'temperature is {temperature}, expected a positive number')
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss of logits (B, K) and (B, K) and classes (B,)."""
        return self.loss_weight * decoupled_kd(
            student_logits, teacher_logits, target, self.alpha, self.beta, self.temperature
        )
