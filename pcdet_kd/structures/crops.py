"""Several crops of each cloud of a batch."""

from typing import NamedTuple

from torch import Tensor


class Crops(NamedTuple):
    """Crops of one size, with their patches given by index.

    Attributes:
        points: (B, C, N, 3) C crops of each cloud.
        centre_index: (B, C, P) int64, the points that are centres of patches.
        patch_index: (B, C, P, K) int64, the points of each patch.
        num_points: (B, C) int64: how many points of a crop count, the first ones; the others are
            padding. None: all.
    """

    points: Tensor
    centre_index: Tensor
    patch_index: Tensor
    num_points: Tensor | None = None
