"""Training stops at the first loss or weight that is not finite."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.student import unwrapped


class NonFiniteLossError(UserError, RuntimeError):
    """A loss or a weight became NaN or infinite."""


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Raises :class:`NonFiniteLossError` at the first non-finite loss, with its terms and the
    batch's sample names.

    Weights are checked before each checkpoint, so that none with NaN is ever written: the gradient
    of a finite loss need not be finite.
    """

    priority = 'VERY_HIGH'

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        losses = {
            k: float(torch.as_tensor(v).detach()) for k, v in (outputs or {}).items() if 'loss' in k
        }
        if all(map(math.isfinite, losses.values())):
            return
        terms = ', '.join(f'{k}={v:.4g}' for k, v in losses.items())
        names = _sample_names(data_batch)
        shown = ', '.join(names[:8]) + (f' and {len(names) - 8} more' if len(names) > 8 else '')
        raise NonFiniteLossError(
            f'the loss is not finite at epoch {runner.epoch + 1}, iteration {batch_idx + 1}: '
            f'{terms}\n'
            f'  batch: {shown or "samples without names"}\n'
            f'  {_ADVICE.format(runner.work_dir)}; with float16, try bfloat16'
        )

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        parameters = {name for name, _ in unwrapped(runner.model).named_parameters()}
        for name, value in checkpoint['state_dict'].items():
            if not isinstance(value, torch.Tensor) or not value.is_floating_point():
                continue
            # A buffer may be infinite on purpose (a mask, a running minimum), but not NaN.
            bad = not value.isfinite().all() if name in parameters else value.isnan().any()
            if bad:
                raise NonFiniteLossError(
                    f"weight '{name}' is not finite after epoch {runner.epoch}, so that this epoch "
                    f'gets no checkpoint\n  {_ADVICE.format(runner.work_dir)}'
                )


_ADVICE = (
    'The checkpoints in {} were written before. Lower the learning rate, or clip the gradient '
    '(optim_wrapper.clip_grad=dict(max_norm=1.0))'
)


def _sample_names(data_batch: Any) -> list[str]:
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    return [str(s.get('sample_id', s.get('sample_idx', '?'))) for s in samples or []]
