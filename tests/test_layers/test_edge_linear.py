"""A linear layer on edges, per point."""

import torch
from torch.nn import functional as F

from pcdet_kd.layers import edge_linear
from pcdet_kd.ops import group


def test_is_the_layer_on_concatenated_edge_features():
    torch.manual_seed(0)
    x, y, index = torch.randn(2, 7, 4), torch.randn(2, 3, 4), torch.randint(7, (2, 3, 5))
    weight = torch.randn(6, 8)
    first, second = weight.split(4, 1)
    near, centre = group(x, index), y.unsqueeze(2).expand(-1, -1, 5, -1)
    torch.testing.assert_close(
        edge_linear(x, y, index, first, second - first),
        F.linear(torch.cat([near - centre, centre], -1), weight),
    )
    torch.testing.assert_close(
        edge_linear(x, y, index, first + second, -first),
        F.linear(torch.cat([near - centre, near], -1), weight),
    )


def test_autocast_keeps_float32():
    x, index = torch.randn(1, 4, 3), torch.randint(4, (1, 4, 2))
    weight = torch.randn(5, 3)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = edge_linear(x + 100, x + 100, index, weight, -weight)
    assert out.dtype == torch.float32
    torch.testing.assert_close(
        out, F.linear(group(x, index) - x.unsqueeze(2), weight), atol=1e-3, rtol=1e-3
    )
