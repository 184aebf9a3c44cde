"""The contract of distillers."""

from abc import abstractmethod
from typing import Any

from mmengine.model import BaseModel, ModuleDict
from torch import Tensor, nn

from pcdet_kd.registry import LOSSES, MODELS, TEACHERS
from pcdet_kd.structures import ModelOutput, PointDataSample
from pcdet_kd.teachers import EMATeacher


class Distiller(BaseModel):
    """A student that learns from its labels and from teachers.

    Training adds the terms of :meth:`distill` to the student's own losses. If every weight is 0,
    the result is that of training the student alone, bit for bit. In modes ``tensor`` and
    ``predict`` a distiller is its student.

    A method is a subclass: it names the teachers, losses and helpers it needs and implements
    :meth:`distill`.

    Args:
        student: Config of the student, any :class:`PointClassifier`; or a built one, which then
            belongs to another module (:class:`Combined` gives its own to all its methods).
        teachers: Configs of teachers by name, or built ones.
        losses: Configs of losses by name.
        helpers: Configs of helpers by name: frozen modules that gradients pass through, or
            connectors trained with the student (these are in the checkpoint, not in the exported
            student).
        init_cfg: As in MMEngine.

    Attributes:
        combines: Whether the method can share a student with others.
        has_own_views: Whether its :meth:`run_student` does more than one plain pass.
    """

    combines = True
    has_own_views = False
    needs_teachers: tuple[str, ...] = ()
    needs_losses: tuple[str, ...] = ()
    needs_helpers: tuple[str, ...] = ()
    may_have_helpers: tuple[str, ...] = ()

    def __init__(
        self,
        student: dict | nn.Module,
        teachers: dict[str, dict | nn.Module] | None = None,
        losses: dict[str, dict] | None = None,
        helpers: dict[str, dict] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if isinstance(student, nn.Module):
            super().__init__(init_cfg=init_cfg)
            self.__dict__['student'] = student  # not a submodule: its weights are another's
        else:
            # built first, so that it draws the same random numbers as in training alone
            built = MODELS.build(student)
            super().__init__(built.data_preprocessor, init_cfg)
            self.student = built
        for kind, registry, given in (
            ('teachers', TEACHERS, teachers or {}),
            ('losses', LOSSES, losses or {}),
            ('helpers', MODELS, helpers or {}),
        ):
            needed = set(getattr(self, f'needs_{kind}'))
            if not needed <= set(given) <= needed | set(getattr(self, f'may_have_{kind}', ())):
                raise ValueError(
                    f'{type(self).__name__} takes {kind} {sorted(needed)}, got {sorted(given)}'
                )
            parts = {
                name: cfg if isinstance(cfg, nn.Module) else registry.build(cfg)
                for name, cfg in given.items()
            }
            setattr(self, kind, ModuleDict(parts))
        self.check_parts()
        for teacher in self._followers():
            teacher.follow(self.followed())

    def check_parts(self) -> None:
        """Raise ``ValueError`` if the parts do not fit together; for subclasses."""

    def _followers(self) -> list[EMATeacher]:
        return [teacher for teacher in self.teachers.values() if isinstance(teacher, EMATeacher)]

    def followed(self) -> nn.Module:
        """Return what an :class:`EMATeacher` averages: the student, unless a method says less."""
        return self.student

    def update_followers(self) -> None:
        """Move every :class:`EMATeacher`, after a step of the optimiser."""
        for teacher in self._followers():
            teacher.update(self.followed())

    def init_weights(self) -> None:
        super().init_weights()
        for teacher in self._followers():
            teacher.restart(self.followed())

    @abstractmethod
    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        """Return the method's loss terms as ``loss_<name>``, and figures worth logging as
        ``stat_<name>``.

        Args:
            out: What :meth:`run_student` returned: the student's output for the batch.
            inputs: The batch, as the student saw it.
            samples: Labels and names of the batch.
        """

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[PointDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the student; in mode ``loss`` also run the method. See
        :meth:`PointClassifier.forward`.
        """
        if mode != 'loss':
            return self.student(inputs, data_samples, mode)
        out, losses = self.run_student(inputs, data_samples)
        for name, term in self.distill(out, inputs, data_samples).items():
            if name in losses:
                raise KeyError(
                    f"{type(self).__name__}.distill returned '{name}', a name that the "
                    "student's losses already use"
                )
            losses[name] = term
        return losses

    def run_student(
        self, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> tuple[Any, dict[str, Tensor]]:
        """Return the student's output, which :meth:`distill` gets, and its own losses."""
        features, out = self.student.extract(inputs)
        return out, self.student.losses(features, out, samples)

    def main_output(self, out: Any) -> ModelOutput:
        """Return the student's output for ``points`` from what :meth:`run_student` returned."""
        return out
