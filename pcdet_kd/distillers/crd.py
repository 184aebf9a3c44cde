"""Contrastive representation distillation."""

from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.fit import check_width, feature_width
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample


@DISTILLERS.register_module()
class CRD(Distiller):
    """Tell a sample's teacher embedding from those of other samples by its student embedding, and
    the other way round (Tian et al., ICLR 2020).

    Both features are mapped to embeddings of length 1. Each is compared with a memory of the other
    network's embeddings, that of the sample itself and those of K others.

    Teachers: ``main``. Losses: ``contrast``, usually :class:`NoiseContrastLoss`, whose weight
    counts for each of the two directions. Helpers: ``student`` and ``teacher``, each a
    :class:`Connector` with ``unit_length=True``, and ``memory``, a :class:`ContrastMemory`.

    Raises:
        ValueError: The widths do not fit together.
    """

    needs_teachers = ('main',)
    needs_losses = ('contrast',)
    needs_helpers = ('student', 'teacher', 'memory')

    def check_parts(self) -> None:
        channels = self.helpers['memory'].student.shape[1]
        for name, model in (('student', self.student), ('teacher', self.teachers['main'])):
            part, what = self.helpers[name], f'helpers.{name}'
            of, width = f"the {name}'s feature", feature_width(model)
            check_width(self, f'{what}.in_channels', part.in_channels, of, width)
            check_width(self, f'{what}.out_channels', part.out_channels, 'the memory', channels)

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        teacher = self.teachers['main'](inputs, samples)
        embeddings = self.helpers['student'](out.feat), self.helpers['teacher'](teacher.feat)
        odds = self.helpers['memory'](*embeddings, samples)
        contrast = self.losses['contrast']
        return {
            f'loss_contrast_{name}': contrast(student_logits=odd)
            for name, odd in zip(('student', 'teacher'), odds)
        }
