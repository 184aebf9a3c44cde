"""Mixed precision on CPU and GPU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from pcdet_kd.registry import OPTIM_WRAPPERS
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import UserError

_DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


def check_amp(device_type: str) -> None:
    """Raise unless the device has instructions for the mixed precision that it would be used with.

    Without bfloat16 instructions, a step on a CPU takes 1.4 to 13 times as long as in float32, so
    that mixed precision is useful there only in tests. ``PCDET_KD_AMP=force`` in the environment
    allows it.

    Args:
        device_type: ``'cpu'``, ``'cuda'`` or another; only a CPU is looked at.

    Raises:
        UserError: The CPU has no bfloat16 instructions.
    """
    if device_type != 'cpu' or os.environ.get('PCDET_KD_AMP') == 'force' or _has_bfloat16():
        return
    raise UserError(
        'mixed precision is slower than float32 on this processor, which has no bfloat16 '
        'instructions: leave out --amp (AmpOptimWrapper, fp16=True), or set PCDET_KD_AMP=force '
        'to use it all the same'
    )


def _has_bfloat16() -> bool:
    if not hasattr(torch.cpu, 'get_capabilities'):  # an older torch
        return torch.cpu._is_avx512_bf16_supported()
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ('avx512_bf16', 'amx_bf16', 'bf16'))


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(OptimWrapper):
    """Runs the forward pass under autocast; MMEngine's wrapper of this name refuses to run on a
    CPU.

    Args:
        dtype: ``'bfloat16'`` or, on CUDA only, ``'float16'`` with loss scaling. None means bfloat16
            where the device has it and float16 elsewhere.
        loss_scale: Only for float16: ``'dynamic'``, a fixed scale, or arguments of
            :class:`torch.amp.GradScaler`.
        **kwargs: ``optimizer``, ``accumulative_counts``, ``clip_grad``.

    Raises:
        ValueError: The dtype is unknown or the device cannot train with it.
        UserError: The device would be slower with it (:func:`check_amp`).
    """

    def __init__(
        self, dtype: str | None = None, loss_scale: str | float | dict = 'dynamic', **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.device_type = get_device()
        cuda = self.device_type == 'cuda'
        if dtype is None:
            dtype = 'float16' if cuda and not torch.cuda.is_bf16_supported() else 'bfloat16'
        check_choice('dtype', dtype, _DTYPES)
        if dtype == 'float16' and not cuda:
            raise ValueError(
                f"dtype='float16' needs a CUDA GPU, the device is '{self.device_type}'; use "
                "'bfloat16'"
            )
        check_amp(self.device_type)
        if loss_scale != 'dynamic' and not isinstance(loss_scale, (int, float, dict)):
            raise ValueError(f"loss_scale is {loss_scale!r}, must be 'dynamic', a number or a dict")
        self.dtype = _DTYPES[dtype]
        self._fixed_scale = float(loss_scale) if isinstance(loss_scale, (int, float)) else None
        arguments = dict(init_scale=self._fixed_scale) if self._fixed_scale else {}
        arguments = loss_scale if isinstance(loss_scale, dict) else arguments
        self.loss_scaler = torch.amp.GradScaler(
            self.device_type, enabled=dtype == 'float16', **arguments
        )

    def backward(self, loss: Tensor, **kwargs) -> None:
        """Back-propagate the loss, scaled for float16."""
        self.loss_scaler.scale(loss).backward(**kwargs)
        self._inner_count += 1

    def step(self, **kwargs) -> None:
        """Update the parameters; for float16, unless a gradient overflowed."""
        if self.clip_grad_kwargs:
            self.loss_scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.loss_scaler.step(self.optimizer, **kwargs)
        self.loss_scaler.update(self._fixed_scale)

    def state_dict(self) -> dict:
        """Return the optimiser's state, with the loss scaler's under ``loss_scaler``."""
        return {**super().state_dict(), 'loss_scaler': self.loss_scaler.state_dict()}

    def load_state_dict(self, state_dict: dict) -> None:
        """Load what :meth:`state_dict` returned; a state saved without mixed precision fits too."""
        scaler = state_dict.get('loss_scaler')
        if scaler and self.loss_scaler.is_enabled():
            self.loss_scaler.load_state_dict(scaler)
        super().load_state_dict({k: v for k, v in state_dict.items() if k != 'loss_scaler'})

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run a block under autocast."""
        with super().optim_context(model), torch.autocast(self.device_type, dtype=self.dtype):
            yield
