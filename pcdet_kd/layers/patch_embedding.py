"""From a cloud to tokens: patches around sampled centres, a small PointNet on each, and
positions.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers.centres import CentreSampler
from pcdet_kd.layers.linear import Linear
from pcdet_kd.layers.mlp import MLP, LinearNormAct
from pcdet_kd.layers.pooling import max_pool
from pcdet_kd.ops import group, knn


class PatchGrouper(CentreSampler):
    """Farthest points as centres, and the nearest points of each, relative to it, as its patch.

    Patches are moved, not scaled. A cloud with fewer points than ``num_patches`` or ``patch_size``
    uses all it has.

    Args:
        num_patches: Centres P.
        patch_size: Points K of a patch, nearest first; the centre itself is the first.
        compat: None, or ``'pointnet2'`` for the CUDA extension's sampling (passes over points near
            the origin).
        fps_start: First centre: 0, or ``'random'``: random in training, the point in the middle of
            the storage order (N // 2) in evaluation, as in AsymDSD's deterministic mode.
    """

    def __init__(
        self,
        num_patches: int = 64,
        patch_size: int = 32,
        compat: str | None = None,
        fps_start: int | str = 0,
    ) -> None:
        super().__init__(compat, fps_start)
        self.num_patches = num_patches
        self.patch_size = patch_size

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Map clouds (B, N, C), xyz first, to patches (B, P, K, C) and centres (B, P, 3)."""
        coords = points[..., :3]
        middle = coords.shape[1] // 2 if self.fps_start == 'random' else 0
        centres, chosen = self.sample_centres(coords, self.num_patches, middle)
        index = knn(centres, coords, min(self.patch_size, coords.shape[1]))
        return take_patches(points, chosen, index)


def take_patches(
    points: Tensor, centre_index: Tensor, patch_index: Tensor
) -> tuple[Tensor, Tensor]:
    """Gather patches by index.

    Args:
        points: (B, N, C), xyz first.
        centre_index: (B, P) int64.
        patch_index: (B, P, K) int64.

    Returns:
        Patches (B, P, K, C), whose xyz are relative to the centres, and centres (B, P, 3).
    """
    centres = group(points[..., :3], centre_index)
    patches = group(points, patch_index)
    offset = patches[..., :3] - centres.unsqueeze(2)
    return offset if points.shape[-1] == 3 else torch.cat(
        [offset, patches[..., 3:]], dim=-1
    ), centres


def take_visible(tokens: Tensor, mask: Tensor) -> Tensor:
    """Keep the tokens that a mask leaves visible, in their order.

    Args:
        tokens: (B, P, D).
        mask: (B * M, P) bool, True where hidden; M masks per cloud, those of one cloud in sequence.
            All rows hide equally many, and not all.

    Returns:
        (B * M, V, D); tokens are not copied M times before.

    Raises:
        ValueError: Wrong shapes, or rows that leave unequal numbers of tokens, or none.
    """
    batch, num, _ = tokens.shape
    if mask.dim() != 2 or mask.shape[1] != num or mask.shape[0] % batch or mask.dtype != torch.bool:
        raise ValueError(
            f'mask has shape {tuple(mask.shape)} and dtype {mask.dtype}, expected (B * M, {num}) '
            f'and torch.bool with B = {batch}'
        )
    row, column = (~mask).nonzero(as_tuple=True)
    left = torch.bincount(row, minlength=len(mask))
    if int(left.min()) != int(left.max()) or not len(row):
        raise ValueError(
            f'masks leave {int(left.min())} to {int(left.max())} tokens visible: all rows must '
            'leave equally many, at least one'
        )
    cloud = row // (len(mask) // batch)
    return tokens.flatten(0, 1).index_select(0, cloud * num + column).unflatten(0, (len(mask), -1))


class MiniPointNet(nn.Module):
    """Describe a patch by two point-wise MLPs with a max pooling in and after them.

    A first MLP gives h per point; its maximum over the patch, g, is joined to every h; a second MLP
    and a maximum give the token. Hidden layers have a normalisation and an activation, the last
    layer of each MLP has neither. The linear layer on the joined [h, g] is computed as a linear
    layer on h plus one on g, which is the same and is done once per patch.

    Args:
        in_channels: Channels of the points.
        first: Widths of the first MLP; the last is h's.
        second: Hidden widths of the second MLP.
        out_channels: Channels D of the token.
        norm: ``'bn'`` or ``'rms'``.
        act: ``'relu'`` or ``'gelu'``.
        bias: Whether linear layers have a bias.
        pooled_first: The order of the joined channels: [g, h] (Point-MAE) or [h, g] (AsymDSD); only
            weights differ.
    """

    def __init__(
        self,
        in_channels: int = 3,
        first: Sequence[int] = (128, 256),
        second: Sequence[int] = (512,),
        out_channels: int = 384,
        norm: str = 'bn',
        act: str = 'relu',
        bias: bool = True,
        pooled_first: bool = True,
    ) -> None:
        super().__init__()
        width = first[-1]
        self.first = MLP([in_channels, *first[:-1]], norm, act, bias)
        self.first_out = Linear(self.first.out_channels, width, bias=bias)
        self.join = LinearNormAct(2 * width, second[0], norm, act, bias)
        self.second = MLP(second, norm, act, bias)
        self.second_out = Linear(second[-1], out_channels, bias=bias)
        self.pooled_first = pooled_first

    def forward(self, patches: Tensor) -> Tensor:
        """Map (B, P, K, in_channels) to (B, P, out_channels)."""
        shape = patches.shape[:-1]
        h = self.first_out(self.first(patches.flatten(0, 2))).unflatten(0, shape)
        pooled, each = self.join.linear.weight.chunk(2, dim=1)
        if not self.pooled_first:
            pooled, each = each, pooled
        x = F.linear(h, each) + F.linear(
            max_pool(h, dim=2), pooled, self.join.linear.bias
        ).unsqueeze(2)
        x = self.join.finish(x.flatten(0, 2))
        return max_pool(self.second_out(self.second(x)).unflatten(0, shape), dim=2)


class PositionEmbedding(nn.Module):
    """Linear, GELU, Linear on the coordinates of centres.

    Args:
        out_channels: Channels D.
        hidden: Channels between.
    """

    def __init__(self, out_channels: int, hidden: int = 128) -> None:
        super().__init__()
        self.fc1 = Linear(3, hidden)
        self.act = nn.GELU()
        self.fc2 = Linear(hidden, out_channels)

    def forward(self, centres: Tensor) -> Tensor:
        """Map (B, P, 3) to (B, P, D)."""
        return self.fc2(self.act(self.fc1(centres)))
