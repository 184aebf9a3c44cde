"""Distillation by inheritance and exploration."""

from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.fit import check_width, feature_width
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample


@DISTILLERS.register_module()
class IEKD(Distiller):
    """Revisiting knowledge distillation: an inheritance and exploration framework (Huang et al.,
    CVPR 2021), step 2.

    The channels of the student's feature are two halves. Each goes through an encoder of its own;
    the factor of the first half is drawn towards the factor of the teacher's feature, that of the
    second half is driven away from it. The encoder of the teacher's feature is that of step 1, a
    :class:`FactorAutoEncoder` trained by itself, and frozen. (The channels of a fully connected
    layer have no order: the authors' random choice of the halves would change nothing here.)

    In the authors' code the network that is trained is called teacher, and the source student.

    Teachers: ``main``. Losses: ``inherit``, usually :class:`InheritanceLoss`, and ``explore``,
    usually :class:`ExplorationLoss`. Helpers: ``encoder``, a :class:`FrozenEncoder`; ``inherit``
    and ``explore``, each a :class:`FactorEncoder` from half the student's width to the factor's.

    Raises:
        ValueError: The widths do not fit together, or the student's is odd.
    """

    needs_teachers = ('main',)
    needs_losses = ('inherit', 'explore')
    needs_helpers = ('encoder', 'inherit', 'explore')

    def check_parts(self) -> None:
        own, taught = feature_width(self.student), feature_width(self.teachers['main'])
        if own is not None and own % 2:
            raise ValueError(f"IEKD: the student's feature has {own} channels, an odd number")
        encoder = self.helpers['encoder']
        into, factor = (getattr(encoder, f'{end}_channels', None) for end in ('in', 'out'))
        check_width(self, 'helpers.encoder', into, "the teacher's feature", taught)
        for name in ('inherit', 'explore'):
            half, what = self.helpers[name], f'helpers.{name}'
            of = "half the student's feature"
            check_width(self, f'{what}.in_channels', half.in_channels, of, own and own // 2)
            of = 'the factor of the encoder'
            check_width(self, f'{what}.out_channels', half.out_channels, of, factor)

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        teacher = self.teachers['main'](inputs, samples)
        factor = self.helpers['encoder'].encode(teacher.feat)
        return {
            f'loss_{name}': self.losses[name](
                student_feat=self.helpers[name](half), teacher_feat=factor
            )
            for name, half in zip(('inherit', 'explore'), out.feat.chunk(2, dim=1))
        }
