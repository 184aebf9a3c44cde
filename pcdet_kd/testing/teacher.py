"""The contract of a teacher."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import ModelOutput, PointDataSample
from pcdet_kd.testing.compare import equal, require


def check_teacher(
    teacher: nn.Module | dict, inputs: dict[str, Tensor], data_samples: Sequence[PointDataSample]
) -> None:
    """Check a teacher after ``init_weights``: no gradient, always in eval mode, unchanged by use,
    absent from checkpoints.

    Args:
        teacher: The module (used as it is and given back in eval mode) or its config.
        inputs: A batch, as its student sees it.
        data_samples: The batch's samples.
    """
    if isinstance(teacher, dict):
        teacher = TEACHERS.build(teacher)
        teacher.init_weights()
    name = type(teacher).__name__
    learns = [key for key, value in teacher.named_parameters() if value.requires_grad]
    require(
        not learns, f'{name}: {", ".join(learns[:3])} can be trained: call requires_grad_(False)'
    )
    teacher.train()
    # A teacher may hold its model outside of nn.Module's bookkeeping.
    modules = [m for m in (teacher, getattr(teacher, 'model', None)) if isinstance(m, nn.Module)]
    awake = [
        type(part).__name__
        for m in modules
        for part in m.modules()
        if part.training and part is not teacher
    ]
    require(
        not awake,
        f'{name}: {awake[:3]} are in training mode after train(): override it to keep them in eval',
    )
    keys = list(teacher.state_dict())
    require(
        bool(getattr(teacher, 'persistent', False)) or not keys,
        f'{name} has keys in state_dict ({keys[:3]}): a teacher is an input, not state. Keep its '
        'model out of the submodules, or set persistent = True if the weights are made in training',
    )
    digest = teacher.weights_hash()
    before = {key: value.clone() for m in modules for key, value in m.state_dict().items()}
    given = {key: value.clone() for key, value in inputs.items()}
    with torch.enable_grad():
        out, again = teacher(given, list(data_samples)), teacher(given, list(data_samples))
    require(
        isinstance(out, ModelOutput),
        f'{name} returns a {type(out).__name__}: return pcdet_kd.structures.ModelOutput',
    )
    require(equal(tuple(out), tuple(again)), f'{name} gives two outputs for one batch')
    tensors = [t for t in (out.logits, out.feat, *out.stages) if t is not None]
    require(
        not any(t.requires_grad for t in tensors),
        f'{name}: its output requires a gradient: forward under no_grad()',
    )
    require(
        all(len(t) == len(data_samples) for t in tensors),
        f'{name}: outputs must have the batch first',
    )
    require(equal(given, dict(inputs)), f'{name} changed its inputs in place')
    after = {key: value for m in modules for key, value in m.state_dict().items()}
    require(
        digest == teacher.weights_hash() and equal(before, after),
        f'{name} changed by being used in training mode (running statistics?): keep it in eval '
        'mode',
    )
