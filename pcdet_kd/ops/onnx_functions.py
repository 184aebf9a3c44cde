"""The ops in terms of ONNX, where ATen has no short form. Needs onnxscript: import it where a graph
is exported.
"""

from collections.abc import Callable

import torch
from onnxscript import FLOAT, INT64, script
from onnxscript import opset18 as op
from onnxscript.values import Opset
from torch import Tensor

from pcdet_kd.ops.export import decompositions

_FARTHEST = torch.ops.pcdet_kd.farthest_point_sample.default
_INFINITY = 3.4e38  # a literal, which is what a function of ONNX can hold


def onnx_decompositions() -> dict[torch._ops.OpOverload, Callable]:
    """Return what to give ``ExportedProgram.run_decompositions`` before
    ``torch.onnx.export(..., custom_translation_table=onnx_translations())``.

    As :func:`~pcdet_kd.ops.export.decompositions`, but farthest point sampling stays one operator,
    and a stable sort, which ONNX does not have, becomes ``topk``, which in ONNX is stable.
    """
    table = decompositions()
    del table[_FARTHEST]
    return table | {
        torch.ops.aten.sort.stable: _stable_sort,
        torch.ops.aten.argsort.stable: lambda *args, **kwargs: _stable_sort(*args, **kwargs)[1],
    }


def onnx_translations() -> dict[torch._ops.OpOverload, Callable]:
    """Return the ONNX functions of the operators that :func:`onnx_decompositions` leaves."""
    return {_FARTHEST: farthest_point_sample}


def _stable_sort(
    values: Tensor, *, stable: bool | None = None, dim: int = -1, descending: bool = False
) -> tuple[Tensor, Tensor]:
    return torch.topk(values, values.shape[dim], dim, largest=descending, sorted=True)


@script(Opset('pcdet_kd', 1), default_opset=op)
def farthest_point_sample(
    points: FLOAT, first: INT64, num_samples: int, near_origin: float
) -> INT64:
    """Farthest point sampling as a loop of ONNX: one body, whatever the number of samples.

    Args:
        points: (B, N, 3).
        first: (B,) start indices.
        num_samples: M.
        near_origin: Points with a squared norm of at most this are passed over; negative: none.

    Returns:
        (B, M) indices.
    """
    x = op.Squeeze(op.Slice(points, [0], [1], [2]), [2])
    y = op.Squeeze(op.Slice(points, [1], [2], [2]), [2])
    z = op.Squeeze(op.Slice(points, [2], [3], [2]), [2])
    nearest = op.Where(x * x + y * y + z * z <= near_origin, -1.0, _INFINITY)
    last = op.Unsqueeze(first, [1])
    chosen = op.Identity(last)
    for _ in range(num_samples - 1):
        dx = x - op.GatherElements(x, last, axis=1)
        dy = y - op.GatherElements(y, last, axis=1)
        dz = z - op.GatherElements(z, last, axis=1)
        nearest = op.Min(nearest, dx * dx + dy * dy + dz * dz)
        last = op.ArgMax(nearest, axis=1, keepdims=1)
        chosen = op.Concat(chosen, last, axis=1)
    return chosen
