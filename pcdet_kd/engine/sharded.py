"""Models whose weights are shared out over the processes (FSDP2), for sizes that one GPU cannot
train.
"""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import broadcast
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from pcdet_kd.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class FullyShardedModel(nn.Module):
    """A model in torch's fully sharded data parallel form, :func:`fully_shard`:
    ``model_wrapper_cfg=dict(type='FullyShardedModel')`` and a launcher.

    Each process holds a part of every weight, gradient and state of the optimiser; a block's
    weights are collected while it is used. Results are those of DistributedDataParallel up to
    rounding. Checkpoints hold whole tensors, and any number of processes can load them.

    Args:
        module: The model, with MMEngine's ``init_weights``, which is called here; the first
            process's weights count.
        blocks: Names of classes whose modules are collected by themselves; all other weights are
            collected at once.
    """

    def __init__(self, module: nn.Module, blocks: Sequence[str] = ('TransformerBlock',)) -> None:
        super().__init__()
        module.init_weights()  # of a weight that is shared out, no part could be initialised alone
        for tensor in module.state_dict().values():
            broadcast(tensor)
        for part in list(module.modules()):
            if type(part).__name__ in blocks:
                fully_shard(part)
        self.module = fully_shard(module)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model."""
        return self.module(*args, **kwargs)

    def train_step(self, data: dict, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train on a batch; see MMEngine's ``BaseModel``."""
        with optim_wrapper.optim_context(self):
            data = self.module.data_preprocessor(data, True)
            losses = self(**data, mode='loss')
        total, logged = self.module.parse_losses(losses)
        optim_wrapper.update_params(total)
        return logged

    @torch.no_grad()
    def val_step(self, data: dict) -> list:
        """Predict a batch."""
        return self(**self.module.data_preprocessor(data, False), mode='predict')

    test_step = val_step


def is_sharded(model: nn.Module) -> bool:
    """Whether a model's weights are shared out."""
    return any(isinstance(p, DTensor) for p in model.parameters())


def whole(tensor: Tensor) -> Tensor:
    """Return all of a tensor; of one that is shared out, all processes must ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def shared_like(tensor: Tensor, like: Tensor) -> Tensor:
    """Return this process's part of a whole tensor, if ``like`` is shared out and of its shape."""
    if not isinstance(like, DTensor) or tensor.shape != like.shape:
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements)


def share_optimizer_state(optimizer: torch.optim.Optimizer, state: dict) -> dict:
    """A hook before an optimiser loads its state: share out what belongs to shared weights."""
    weights = [weight for group in optimizer.param_groups for weight in group['params']]
    shared = {
        number: {
            name: shared_like(value, weights[number]) if isinstance(value, Tensor) else value
            for name, value in entries.items()
        }
        for number, entries in state['state'].items()
    }
    return {**state, 'state': shared}
