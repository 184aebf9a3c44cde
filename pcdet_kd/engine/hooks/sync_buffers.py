"""One set of batch-norm statistics in all processes."""

from typing import Any

import torch
from mmengine.dist import all_reduce_params, is_distributed
from mmengine.hooks import Hook
from torch.distributed.tensor import DTensor

from pcdet_kd.registry import HOOKS


@HOOKS.register_module()
class SyncBuffersHook(Hook):
    """Averages the buffers of trained modules over the processes after each epoch, before
    validation and checkpoint; also the gradients, where they accumulate over the epoch's end.

    Unlike MMEngine's hook of this name it leaves modules in eval mode (frozen teachers) and integer
    buffers alone.
    """

    def after_train_epoch(self, runner: Any) -> None:
        if is_distributed():
            buffers = [
                b
                for module in runner.model.modules()
                if module.training
                for b in module.buffers(recurse=False)
                if torch.is_floating_point(b)
            ]
            gradients = [
                p.grad
                for p in runner.model.parameters()
                if p.grad is not None and not isinstance(p.grad, DTensor)  # averaged already
            ]
            if buffers + gradients:
                all_reduce_params(buffers + gradients, op='mean')
