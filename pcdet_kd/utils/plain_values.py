"""What a checkpoint may hold: tensors and plain Python values."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor

_HISTORY = '__history_buffer__'


def plain_values(obj: Any, where: str = '') -> Any:
    """Return a copy that consists of tensors and plain Python values only, so that it loads with
    ``weights_only=True``.

    Mappings become dicts, NumPy scalars Python numbers, NumPy arrays tensors, and MMEngine's
    history buffers dicts that :func:`restore_history` turns back.

    Raises:
        TypeError: A value is of another kind; the message names the path of its keys.
    """
    if obj is None or type(obj) in (
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        torch.dtype,
        torch.device,
        torch.Size,
    ):
        return obj
    if isinstance(obj, Tensor):
        # A slice must not drag the storage it was cut from into the file.
        obj = obj.detach()
        return (
            obj.clone()
            if obj.untyped_storage().nbytes() > obj.numel() * obj.element_size()
            else obj
        )
    if isinstance(obj, np.generic):
        return plain_values(obj.item(), where)
    if isinstance(obj, np.ndarray) and obj.dtype.kind in 'biufc':
        return torch.from_numpy(obj.copy())
    if isinstance(obj, HistoryBuffer):
        values, counts = obj.data
        return {
            _HISTORY: dict(
                values=torch.as_tensor(values.copy()),
                counts=torch.as_tensor(counts.copy()),
                max_length=int(obj.max_length),
            )
        }
    if isinstance(obj, Mapping):
        items = [
            (plain_values(k, where), plain_values(v, f'{where}.{k}' if where else str(k)))
            for k, v in obj.items()
        ]
        if not isinstance(obj, OrderedDict):
            return dict(items)
        ordered = OrderedDict(items)
        if hasattr(obj, '_metadata'):  # the modules' versions, kept by torch beside a state dict
            ordered._metadata = obj._metadata
        return ordered
    if isinstance(obj, (list, tuple, set)):
        values = [plain_values(v, f'{where}[{i}]') for i, v in enumerate(obj)]
        return (
            tuple(values)
            if isinstance(obj, tuple)
            else set(values)
            if isinstance(obj, set)
            else values
        )
    if isinstance(obj, str):
        return str(obj)
    raise TypeError(
        f"checkpoint value '{where}' is a {type(obj).__module__}.{type(obj).__qualname__}; a "
        'checkpoint holds '
        'tensors and plain Python values only (None, numbers, text, lists, tuples, sets, dicts)'
    )


def restore_history(obj: Any) -> Any:
    """Turn the dicts that :func:`plain_values` made of history buffers back into history
    buffers.
    """
    if isinstance(obj, dict):
        if set(obj) == {_HISTORY}:
            saved = obj[_HISTORY]
            return HistoryBuffer(
                saved['values'].cpu().numpy(), saved['counts'].cpu().numpy(), saved['max_length']
            )
        return type(obj)((k, restore_history(v)) for k, v in obj.items())
    return obj
