"""Distillation of attention maps."""

from collections.abc import Sequence

from torch import Tensor, nn

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample


@DISTILLERS.register_module()
class AttentionKD(Distiller):
    """Match where student and teacher are active (attention transfer; Zagoruyko and Komodakis, ICLR
    2017).

    It needs maps at the same places: a teacher that is run on the student's points, and stages with
    equally many points, chosen in one way (farthest point sampling from the first point does so).
    Pixels and points do not correspond, and a feature bank has no maps.

    Teachers: ``main``. Losses: ``attention``, usually :class:`AttentionTransferLoss`; its values
    for the pairs of stages are added, as in the authors' code.

    Args:
        student: As in :class:`Distiller`, as are the next three.
        teachers: ``main``.
        losses: ``attention``.
        helpers: None.
        stages: Pairs (stage of the student, stage of the teacher); -1 is the last one.
        init_cfg: As in MMEngine.

    Raises:
        ValueError: The teacher has no maps, or not of the student's points.
    """

    needs_teachers = ('main',)
    needs_losses = ('attention',)

    def __init__(
        self,
        student: dict | nn.Module,
        teachers: dict[str, dict | nn.Module] | None = None,
        losses: dict[str, dict] | None = None,
        helpers: dict[str, dict] | None = None,
        stages: Sequence[tuple[int, int]] = ((-1, -1),),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(student, teachers, losses, helpers, init_cfg)
        self.stages = tuple(tuple(pair) for pair in stages)
        teacher, key = self.teachers['main'], getattr(self.student, 'input_key', None)
        seen = getattr(teacher, 'input_key', None)
        if not getattr(teacher, 'keeps_stages', True):
            raise ValueError(
                f'AttentionKD: a {type(teacher).__name__} holds no maps, one feature per sample '
                "only: use type='FrozenTeacher', or another method"
            )
        if None not in (seen, key) and seen != key:
            raise ValueError(
                f"AttentionKD: the student looks at '{key}', the teacher at '{seen}': their maps "
                'are not at the same places. Use a teacher that looks at points, or another method'
            )

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        maps = out.stages, self.teachers['main'](inputs, samples).stages
        pairs = [
            [self._stage(*side) for side in zip(('student', 'teacher'), maps, pair)]
            for pair in self.stages
        ]
        terms = [
            self.losses['attention'](student_feat=own, teacher_feat=taught) for own, taught in pairs
        ]
        return dict(loss_attention=sum(terms))

    @staticmethod
    def _stage(who: str, stages: Sequence[Tensor], index: int) -> Tensor:
        if not -len(stages) <= index < len(stages):
            raise ValueError(f'AttentionKD: the {who} has {len(stages)} stages, none is {index}')
        return stages[index]
