"""Knowledge distillation of logits."""

from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample


@DISTILLERS.register_module()
class LogitKD(Distiller):
    """Match the teacher's softened class probabilities (Hinton et al., 2015).

    Teachers: ``main``. Losses: ``logit``, usually :class:`LogitKDLoss`.
    """

    needs_teachers = ('main',)
    needs_losses = ('logit',)

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        teacher = self.teachers['main'](inputs, samples)
        agree = (out.logits.argmax(1) == teacher.logits.argmax(1)).float().mean()
        return dict(
            loss_logit=self.losses['logit'](
                student_logits=out.logits, teacher_logits=teacher.logits
            ),
            stat_agreement=agree.detach(),
        )
