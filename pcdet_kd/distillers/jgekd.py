"""Joint-graph-entropy distillation."""

from typing import Any

import torch
from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.fit import logits_of
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample, pseudo_targets
from pcdet_kd.utils.arguments import check_choice


@DISTILLERS.register_module()
class JGEKD(Distiller):
    """Joint-graph-entropy distillation (Tian et al., Information Sciences 2023): from a teacher, or
    between two views.

    Losses: ``graph``, usually :class:`JointGraphEntropyLoss`.

    With ``teachers=dict(main=...)`` (JGEtKD) a frozen network of any kind teaches: another point
    network, a multi-view one that sees ``views``, or a bank of its outputs.

    Without teachers (JGEsKD) the student teaches itself: ``inputs`` holds two views of each sample,
    ``points`` and ``points_2`` (:class:`SiameseViews`), both go through the same weights, and the
    logits of one are drawn towards those of the other. If the second view is corrupted, knowledge
    flows between clean and corrupted clouds. Both views are trained on the label, each with half
    the weight, as in the released code (one cross-entropy over 2B logits). Only one view is needed
    at test time, and nothing is added to the network.

    With a teacher, clouds may be mixed (``batch_augments`` of the preprocessor): the teacher sees
    the mixed clouds. Variants of the loss that split the classes by one label are refused then.

    Args:
        student: As in :class:`Distiller`, as are the next three.
        teachers: ``main``, or none.
        losses: ``graph``.
        helpers: None.
        student_view: Without teachers: which view learns from the other: 2 (clean teaches
            corrupted, as the paper's abstract has it) or 1 (as the released code passes them). With
            ``detach='none'`` in the loss both learn.
        passes: Without teachers: ``'separate'``: two passes, so that BatchNorm sees each view by
            itself, and its running statistics average over both (the released code of plain
            networks). ``'joint'``: one pass of 2B, with common statistics; the views need the
            same number of points.
        teacher_points: With a teacher: the input that it gets as ``points``, for example
            ``'points_2'``, a view without augmentation.
        init_cfg: As in MMEngine.
    """

    needs_losses = ('graph',)

    def __init__(
        self,
        student: dict,
        teachers: dict[str, dict] | None = None,
        losses: dict[str, dict] | None = None,
        helpers: dict[str, dict] | None = None,
        student_view: int = 2,
        passes: str = 'separate',
        teacher_points: str = 'points',
        init_cfg: dict | None = None,
    ) -> None:
        check_choice('student_view', student_view, (1, 2))
        check_choice('passes', passes, ('separate', 'joint'))
        if teachers:
            self.needs_teachers = ('main',)
        elif teacher_points != 'points':
            raise ValueError(f"teacher_points='{teacher_points}' needs teachers=dict(main=...)")
        super().__init__(student, teachers, losses, helpers, init_cfg)
        self.has_own_views = not teachers
        self.student_view = student_view
        self.passes = passes
        self.teacher_points = teacher_points

    def run_student(
        self, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> tuple[Any, dict[str, Tensor]]:
        if self.teachers:
            return super().run_student(inputs, samples)
        both = self._views(inputs)
        if self.passes == 'joint':
            features, out = self.student.extract({**inputs, 'points': torch.cat(both)})
            losses = self.student.losses(features, out, [*samples, *samples])
            return [
                ModelOutput(*half) for half in zip(out.logits.chunk(2), out.feat.chunk(2))
            ], losses
        outs, halves = [], []
        for points in both:
            out, losses = super().run_student({**inputs, 'points': points}, samples)
            outs.append(out)
            halves.append(losses)
        return outs, {name: (value + halves[1][name]) / 2 for name, value in halves[0].items()}

    def main_output(self, out: Any) -> ModelOutput:
        return out[0] if self.has_own_views else out

    def distill(
        self, out: Any, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        if self.teachers:
            student = out
            teacher = self.teachers['main'](
                {**inputs, 'points': self._input(inputs, self.teacher_points)}, samples
            )
        else:
            student, teacher = out[self.student_view - 1], out[2 - self.student_view]
        if getattr(self.losses['graph'], 'needs_target', True) and any(
            'gt_score' in sample for sample in samples
        ):
            raise ValueError(
                'this variant of the graph loss needs one label per sample, and batch_augments has '
                "mixed the samples: use variant='entropy', 'kl' or 'batch-graph', or remove "
                'batch_augments'
            )
        taught = logits_of(self, teacher)
        target = pseudo_targets(samples, taught)
        agree = (student.logits.argmax(1) == taught.argmax(1)).float().mean()
        return dict(
            loss_graph=self.losses['graph'](
                student_logits=student.logits, teacher_logits=taught, target=target
            ),
            stat_agreement=agree.detach(),
        )

    def _views(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        first, second = self._input(inputs, 'points'), self._input(inputs, 'points_2')
        if self.passes == 'joint' and first.shape != second.shape:
            raise ValueError(
                f"passes='joint' needs views of one shape, but points is {tuple(first.shape)} and "
                f"points_2 is {tuple(second.shape)}: use passes='separate'"
            )
        return first, second

    def _input(self, inputs: dict[str, Tensor], name: str) -> Tensor:
        if name not in inputs:
            raise KeyError(
                f"JGEKD needs inputs['{name}'], the batch has {sorted(inputs)}. Add SiameseViews "
                'to the training pipeline, or give teachers=dict(main=...) to learn from a teacher'
            )
        return inputs[name]
