"""A linear layer on edges between points, computed per point."""

import torch
from torch import Tensor
from torch.nn import functional as F

from pcdet_kd.layers.inputs import at_least_float32
from pcdet_kd.ops import group


def edge_linear(
    points: Tensor, centres: Tensor, index: Tensor, of_neighbor: Tensor, of_centre: Tensor
) -> Tensor:
    r"""Return :math:`e_{ij} = A x_j + B y_i` for the neighbours j of every centre i.

    A bias-free linear layer with weight [W_1, W_2, ...] on an edge's features is of this form: on
    [x_j - x_i, x_i] with A = W_1 and B = W_2 - W_1, on [x_j - x_i, x_j] with A = W_1 + W_2 and B =
    -W_1. It is the same to rounding, needs no tensor of edge features before the layer, and is done
    once per point and not once per edge. Since the two terms cancel, they are computed in float32
    under autocast too.

    Args:
        points: (B, N, C) features x.
        centres: (B, S, C') features y.
        index: (B, S, k) int64, the neighbours of each centre among the points.
        of_neighbor: A (D, C).
        of_centre: B (D, C').

    Returns:
        (B, S, k, D), at least float32.
    """
    with torch.autocast(points.device.type, enabled=False):
        points, centres = at_least_float32(points), at_least_float32(centres)
        near = F.linear(points, of_neighbor.to(points.dtype))
        return group(near, index) + F.linear(centres, of_centre.to(centres.dtype)).unsqueeze(2)
