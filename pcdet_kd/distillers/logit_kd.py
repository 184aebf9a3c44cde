"""Knowledge distillation of logits."""

from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.fit import logits_of
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample, pseudo_targets


@DISTILLERS.register_module()
class LogitKD(Distiller):
    """Match the teacher's softened class probabilities (Hinton et al., 2015).

    Teachers: ``main``. Losses: ``logit``, usually :class:`LogitKDLoss`, or
    :class:`DecoupledKDLoss`. A loss with a true ``needs_target`` gets the classes too: a cloud's
    label or, if it has none, the teacher's class.
    """

    needs_teachers = ('main',)
    needs_losses = ('logit',)

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        teacher = logits_of(self, self.teachers['main'](inputs, samples))
        loss, more = self.losses['logit'], {}
        if getattr(loss, 'needs_target', False):
            if any('gt_score' in sample for sample in samples):
                raise ValueError(
                    f'{type(loss).__name__} needs one label per sample, and batch_augments has '
                    'mixed the samples: use LogitKDLoss, or remove batch_augments'
                )
            more['target'] = pseudo_targets(samples, teacher)
        agree = (out.logits.argmax(1) == teacher.argmax(1)).float().mean()
        return dict(
            loss_logit=loss(student_logits=out.logits, teacher_logits=teacher, **more),
            stat_agreement=agree.detach(),
        )
