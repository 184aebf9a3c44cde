"""A teacher that follows its student."""

import copy

import torch
from torch import nn

from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers.base import Teacher
from pcdet_kd.utils.hashing import weights_sha256


@TEACHERS.register_module()
class EMATeacher(Teacher):
    """An exponential moving average of the student's weights (Tarvainen and Valpola, 2017).

    It is made in training, so it is in the checkpoint, unlike other teachers. A distiller that has
    one calls :meth:`follow` once; an :class:`EMATeacherHook` moves it after each step of the
    optimiser. It is always in eval mode: no dropout, no stochastic depth.

    Args:
        momentum: Share of the old weights in each step; a :class:`ScheduleHook` may change it.

    Attributes:
        model: The averaged module.
    """

    persistent = True

    @property
    def feat_channels(self) -> int | None:
        """Width of the feature; None where the model's head does not tell."""
        return getattr(getattr(self.model, 'head', None), 'feat_channels', None)

    def __init__(self, momentum: float = 0.995) -> None:
        super().__init__()
        if not 0 <= momentum <= 1:
            raise ValueError(f'momentum is {momentum}, must be between 0 and 1')
        self.momentum = momentum
        self.model = nn.Identity()

    def follow(self, module: nn.Module) -> None:
        """Begin as a copy of a module."""
        self.model = copy.deepcopy(module).requires_grad_(False).eval()

    def restart(self, module: nn.Module) -> None:
        """Take the weights of the module again, after it got others."""
        self.model.load_state_dict(module.state_dict())

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move towards a module: weights by the momentum, buffers (such as running statistics)
        are copied.
        """
        if self.momentum < 1:
            ours, theirs = list(self.model.parameters()), list(module.parameters())
            torch._foreach_lerp_(ours, theirs, 1 - self.momentum)
        for ours, theirs in zip(self.model.buffers(), module.buffers()):
            ours.copy_(theirs)

    @torch.no_grad()
    def forward(self, inputs: dict, data_samples: list) -> ModelOutput:
        """Return the output of an averaged classifier for a batch."""
        return self.model(inputs, data_samples, mode='tensor')

    def weights_hash(self) -> str:
        return weights_sha256(self.model.state_dict())
