"""Regression of a teacher's embeddings."""

from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers import at_least_float32
from pcdet_kd.losses.functional import check_same
from pcdet_kd.registry import LOSSES


@LOSSES.register_module()
class FeatureSmoothL1Loss(nn.Module):
    """Mean smooth L1 difference of embeddings, as in point2vec and as AsymDSD's latent regression
    (data2vec, Baevski et al., ICML 2022).

    Args:
        beta: Where the quadratic part ends.
        loss_weight: Factor.
    """

    same_width = True

    def __init__(self, beta: float = 2.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.beta = beta
        self.loss_weight = loss_weight

    def forward(self, student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
        """Return the weighted mean over all elements of two tensors of one shape."""
        check_same(('student_feat', 'teacher_feat'), student_feat, teacher_feat)
        return self.loss_weight * F.smooth_l1_loss(
            at_least_float32(student_feat), at_least_float32(teacher_feat), beta=self.beta
        )
