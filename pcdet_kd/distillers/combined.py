"""Several methods on one student."""

from typing import Any

from mmengine.model import ModuleDict
from torch import Tensor, nn

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.registry import DISTILLERS, did_you_mean
from pcdet_kd.structures import ModelOutput, PointDataSample
from pcdet_kd.teachers import Teacher


@DISTILLERS.register_module()
class Combined(Distiller):
    """Several distillation methods on one student, with one forward pass of the student.

    Each method is configured as by itself, but without ``student``. Where it names a teacher by a
    text, it uses this of the combination's teachers, which is asked once per batch. The terms of a
    method carry its name: ``loss_graph`` of the method ``jgekd`` is logged as ``loss_jgekd_graph``.
    Hooks find a loss as ``jgekd.graph`` (:class:`LossWarmupHook`) or
    ``methods.jgekd.losses.graph.loss_weight`` (:class:`ScheduleHook`).

    One of the methods may run the student in its own way (JGEKD between two views); the others then
    see the student's output for ``points``.

    Args:
        student: As in :class:`Distiller`.
        methods: Configs of distillers by name.
        teachers: Configs of the teachers that methods share, by name.
        init_cfg: As in MMEngine.

    Raises:
        ValueError: There is no method, one can't be combined, two run the student in their own way,
            or a shared teacher is missing or unused.
    """

    def __init__(
        self,
        student: dict,
        methods: dict[str, dict],
        teachers: dict[str, dict] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if not methods:
            raise ValueError('Combined: methods is empty, must name at least one distiller')
        self.needs_teachers = tuple(teachers or ())
        super().__init__(student, teachers, init_cfg=init_cfg)
        self._shared = ModuleDict({name: _Shared(t) for name, t in self.teachers.items()})
        unused = set(self._shared)
        built = {}
        for name, cfg in methods.items():
            wanted = {**(cfg.get('teachers') or {})}
            for role, teacher in wanted.items():
                if isinstance(teacher, str):
                    wanted[role] = self._find(name, teacher)
                    unused.discard(teacher)
            own = dict(teachers=wanted) if wanted else {}
            built[name] = DISTILLERS.build({**cfg, **own, 'student': self.student})
        self.methods = ModuleDict(built)
        if unused:
            raise ValueError(f'Combined: no method uses the teacher {", ".join(sorted(unused))}')
        for name, method in self.methods.items():
            if not method.combines:
                raise ValueError(f'Combined: {type(method).__name__} ({name}) stands alone')
        leaders = [name for name, method in self.methods.items() if method.has_own_views]
        if len(leaders) > 1:
            raise ValueError(
                f'Combined: {" and ".join(leaders)} each run the student in their own way, one may'
            )
        self._leader = leaders[0] if leaders else None

    def _find(self, method: str, teacher: str) -> '_Shared':
        if teacher not in self._shared:
            raise ValueError(
                f"Combined: the method '{method}' names the teacher '{teacher}', there "
                f'{"are" if len(self._shared) > 1 else "is"} {", ".join(self._shared) or "none"}.'
                f'{did_you_mean(teacher, self._shared)}'
            )
        return self._shared[teacher]

    def update_followers(self) -> None:
        super().update_followers()
        for method in self.methods.values():
            method.update_followers()

    def run_student(
        self, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> tuple[Any, dict[str, Tensor]]:
        if self._leader is None:
            return super().run_student(inputs, samples)
        return self.methods[self._leader].run_student(inputs, samples)

    def distill(
        self, out: Any, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        plain = out if self._leader is None else self.methods[self._leader].main_output(out)
        terms = {}
        for name, method in self.methods.items():
            seen = out if name == self._leader else plain
            for key, value in method.distill(seen, inputs, samples).items():
                kind, rest = key.split('_', 1)
                terms[f'{kind}_{name}_{rest}'] = value
        for teacher in self._shared.values():
            teacher.forget()
        return terms


class _Shared(nn.Module):
    """A teacher of the combination, as its methods see it: it is asked once for the same inputs."""

    def __init__(self, teacher: nn.Module) -> None:
        super().__init__()
        self._teacher = (teacher,)  # hidden: it is the combination's submodule, and no one else's
        for name in ('feat_channels', 'keeps_stages', 'input_key'):
            setattr(self, name, getattr(teacher, name, getattr(Teacher, name)))
        self.forget()

    def forget(self) -> None:
        """Keep nothing of the last batch."""
        self._asked, self._answer = None, None

    def forward(self, inputs: dict, data_samples: list) -> ModelOutput:
        if self._asked is None or any(inputs[k] is not self._asked.get(k) for k in inputs):
            self._asked, self._answer = dict(inputs), self._teacher[0](inputs, data_samples)
        return self._answer
