"""Linear layers on many rows: by oneDNN instead of MKL on the processors where that is faster."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.ops import backend

LEAST_ROWS = 1024
IMAGES = (64, 32, 16)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Map (..., C) to (..., D) as :func:`torch.nn.functional.linear` does, to rounding.

    On a CPU, float32 products go to MKL, which on AMD processors leaves AVX-512 unused: half the
    speed. A 1x1 convolution of images whose channels are last has the same memory layout and goes
    to oneDNN, which uses what there is. So there rows are seen as the pixels of 16 or more images
    (with fewer, torch does not choose oneDNN). Other processors, few rows, other types and devices,
    autocast and graphs use torch's own function. ``pcdet_kd.ops.info()['linear']`` tells which one
    this processor uses.
    """
    if (
        torch.compiler.is_compiling() or torch.jit.is_tracing()
    ):  # first: what follows would tie a graph to its batch size
        return F.linear(x, weight, bias)
    rows = x.numel() // max(1, x.shape[-1])
    images = next((n for n in IMAGES if rows % n == 0), None)
    if (
        images is None
        or rows < LEAST_ROWS
        or x.device.type != 'cpu'
        or x.dtype != torch.float32
        or weight.dtype != torch.float32
        or not x.is_contiguous()
        or torch.is_autocast_enabled('cpu')
        or backend.linear().backend != 'onednn'
    ):
        return F.linear(x, weight, bias)
    pixels = x.view(images, rows // images, 1, x.shape[-1]).permute(0, 3, 1, 2)
    out = F.conv2d(pixels, weight[:, :, None, None], bias)
    return out.permute(0, 2, 3, 1).reshape(*x.shape[:-1], weight.shape[0])


class Linear(nn.Linear):
    """:class:`torch.nn.Linear` by :func:`linear`; weights, names and results are the same."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        return linear(x, self.weight, self.bias)
