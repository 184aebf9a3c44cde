"""Self-distillation over prototypes with a centred and sharpened teacher."""

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from pcdet_kd.layers import at_least_float32
from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES


@LOSSES.register_module()
class SelfDistillationLoss(nn.Module):
    """Cross-entropy between the posteriors of teacher and student over prototypes (DINO, Caron et
    al., 2021; AsymDSD).

    The teacher's scores are centred by a running mean (no prototype may win always) and sharpened
    by a lower temperature (no uniform posterior). The centre moves only in :meth:`update_centre`,
    after use.

    Args:
        num_prototypes: Number Z of prototypes.
        student_temperature: Of the student's posterior.
        teacher_temperature: Of the teacher's; a :class:`ScheduleHook` may change it.
        momentum: Of the centre.
        loss_weight: Factor.

    Attributes:
        centre: (Z,) running mean of the teacher's scores, in checkpoints.
    """

    def __init__(
        self,
        num_prototypes: int = 4096,
        student_temperature: float = 0.1,
        teacher_temperature: float = 0.04,
        momentum: float = 0.9,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not (student_temperature > 0 and teacher_temperature > 0):
            raise ValueError(
                f'temperatures are {student_temperature} (student) and {teacher_temperature} '
                '(teacher), expected positive numbers'
            )
        self.student_temperature = student_temperature
        self.teacher_temperature = teacher_temperature
        self.momentum = momentum
        self.loss_weight = loss_weight
        self.register_buffer('centre', torch.zeros(num_prototypes))

    def posterior(self, teacher_logits: Tensor) -> Tensor:
        """Return the teacher's posterior (..., Z) in float32, without gradient."""
        logits = at_least_float32(teacher_logits.detach()) - self.centre
        return logits.div_(self.teacher_temperature).softmax(dim=-1)

    def against(self, student_logits: Tensor, teacher_posterior: Tensor) -> Tensor:
        """Return the weighted mean cross-entropy over all pairs of a teacher's posterior (B, T, Z)
        and scores of the student (B, S, Z) of one sample; (B, Z) stands for one view.
        """
        return self.loss_weight * functional.posterior_cross_entropy(
            student_logits, teacher_posterior, self.student_temperature
        )

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Return :meth:`against` for the teacher's scores instead of its posterior."""
        return self.against(student_logits, self.posterior(teacher_logits))

    @torch.no_grad()
    def update_centre(self, mean_logits: Tensor) -> None:
        """Move the centre towards this batch's mean of the teacher's scores (Z,), not centred; in
        several processes, the mean over them.
        """
        mean = mean_logits.detach().to(self.centre.dtype).clone()
        all_reduce(mean, op='mean')
        self.centre.lerp_(mean, 1 - self.momentum)

    @staticmethod
    @torch.no_grad()
    def entropies(teacher_posterior: Tensor) -> tuple[Tensor, Tensor]:
        """Return what tells a collapse: the mean entropy of posteriors (..., Z), and the entropy of
        their mean, in nats. If both are ln Z, all posteriors are uniform; if the second is near 0,
        one prototype wins always.
        """
        rows = teacher_posterior.flatten(0, -2)
        mean = rows.mean(dim=0)
        return torch.special.entr(rows).sum(dim=-1).mean(), torch.special.entr(mean).sum()
