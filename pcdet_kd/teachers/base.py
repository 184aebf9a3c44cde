"""The contract of teachers, and a frozen model that its owner's training cannot touch."""

import copy
import itertools
from collections.abc import Callable
from typing import Any

from mmengine.model import BaseDataPreprocessor, BaseModule
from torch import nn

from pcdet_kd.registry import MODELS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.utils.checkpoint import load_weights
from pcdet_kd.utils.hashing import weights_sha256


class Frozen(BaseModule):
    """A model that is loaded from its own file and never changes.

    It moves with its owner between devices and dtypes, but it is not one of the owner's submodules:
    it has no keys in the owner's ``state_dict``, no parameters for the optimiser, EMA or DDP, stays
    in eval mode, and is not re-initialised. Gradients still flow through it to its input.

    Args:
        model: Config of the model.
        checkpoint: File or URL of its weights, read in :meth:`init_weights`. ``'stage:NAME'``
            stands for the weights of the stage that the config's ``requires`` calls NAME.
        prefix: Use only the keys of the file that start with this, without it.
    """

    def __init__(self, model: dict, checkpoint: str | None = None, prefix: str = '') -> None:
        super().__init__()
        self.checkpoint = checkpoint
        self.prefix = prefix
        # A plain tuple hides the model from nn.Module's bookkeeping.
        self._held = (MODELS.build(model).eval().requires_grad_(False),)
        self._loaded = False

    @property
    def model(self) -> nn.Module:
        """The frozen model.

        Raises:
            RuntimeError: Its weights have not been read yet.
        """
        if not self._loaded:
            raise RuntimeError(
                f'{type(self).__name__} has no weights yet: call init_weights() (a Runner does)'
            )
        return self._held[0]

    def init_weights(self) -> None:
        """Read the weights; every key must fit.

        Raises:
            ValueError: ``checkpoint`` is missing or stands for a stage that was not trained.
        """
        if self._loaded:
            return
        if not self.checkpoint:
            raise ValueError(
                f'{type(self).__name__} needs checkpoint=..., the file of its trained weights'
            )
        if self.checkpoint.startswith('stage:'):
            name = self.checkpoint.removeprefix('stage:')
            raise ValueError(
                f"{type(self).__name__}: checkpoint '{self.checkpoint}' stands for the stage "
                f"'{name}' of the "
                "config's requires; tools/train.py trains it and puts its file here"
            )
        load_weights(self._held[0], self.checkpoint, prefix=self.prefix)
        self._loaded = True

    def pretend_trained(self) -> None:
        """Keep the random weights, if those of a stage that was not trained yet are meant."""
        self._loaded = str(self.checkpoint).startswith('stage:')

    def weights_hash(self) -> str:
        """Return a hash of the frozen weights."""
        return weights_sha256(self._held[0].state_dict())

    def train(self, mode: bool = True) -> 'Frozen':
        super().train(mode)
        self._held[0].eval()
        return self

    def _apply(self, fn: Callable, *args: Any, **kwargs: Any) -> 'Frozen':
        held = self._held[0]._apply(fn, *args, **kwargs)
        tensor = next(itertools.chain(held.parameters(), held.buffers()), None)
        for module in held.modules():
            if isinstance(module, BaseDataPreprocessor) and tensor is not None:
                module._device = (
                    tensor.device
                )  # MMEngine sets it in the outermost model's .to() only
        return super()._apply(fn, *args, **kwargs)

    def apply(self, fn: Callable) -> 'Frozen':
        self._held[0].apply(
            fn
        )  # MMEngine's models tell their preprocessors about the device this way
        return super().apply(fn)

    def __deepcopy__(self, memo: dict) -> 'Frozen':
        held = self._held
        memo[id(held)] = held  # copies, such as an EMA of the owner, share the frozen model
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__dict__.update(
            {name: copy.deepcopy(value, memo) for name, value in self.__dict__.items()}
        )
        return twin


class Teacher(BaseModule):
    """Base of all teachers.

    A teacher maps the student's inputs and samples to a :class:`ModelOutput`, without gradient. It
    stays in eval mode, reads what it needs in ``init_weights`` and leaves no key in ``state_dict``
    unless ``persistent`` is true.

    Attributes:
        keeps_stages: Whether its output can hold ``stages``.
        feat_channels: Width of its feature; None where only the output tells.
        input_key: Which input it looks at; None where it does not tell.
    """

    persistent = False
    keeps_stages = True
    feat_channels: int | None = None
    input_key: str | None = None

    def train(self, mode: bool = True) -> 'Teacher':
        return super().train(False)

    def forward(self, inputs: dict, data_samples: list) -> ModelOutput:
        """Return the teacher's output for a batch."""
        raise NotImplementedError

    def weights_hash(self) -> str:
        """Return a hash of all that the output depends on; it must not change while a student
        trains.
        """
        raise NotImplementedError
