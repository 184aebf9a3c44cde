"""Regression of class scores."""

from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.losses.functional import check_logits, check_same, full_precision
from pcdet_kd.registry import LOSSES


@full_precision
def logit_mse(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    r"""Return the mean over batch and classes of :math:`(z_s - z_t)^2`.

    In SRRL (Yang et al., ICLR 2021) :math:`z_s = W_T\,\phi(f_S)`: the frozen teacher's classifier
    on the student's feature, which a connector :math:`\phi` has brought to the teacher's width.

    Args:
        student_logits: (B, K).
        teacher_logits: (B, K), without gradient.

    Returns:
        A scalar.
    """
    check_logits('student_logits', student_logits)
    check_same(('student_logits', 'teacher_logits'), student_logits, teacher_logits)
    return F.mse_loss(student_logits, teacher_logits.detach())


@LOSSES.register_module()
class LogitMSELoss(nn.Module):
    """Mean squared difference of class scores: the softmax regression of SRRL (Yang et al., ICLR
    2021), see :func:`logit_mse`.

    Args:
        loss_weight: Factor.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Return the weighted loss of logits (B, K) and (B, K)."""
        return self.loss_weight * logit_mse(student_logits, teacher_logits)
