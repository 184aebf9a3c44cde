"""PointMLP and PointMLP-elite."""

from collections.abc import Sequence
from itertools import pairwise

from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import (
    LinearNormAct,
    LocalGrouper,
    ResidualMLP,
    check_in_channels,
    max_pool,
    split_points,
)
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import Level, PointFeatures
from pcdet_kd.utils.arguments import check_one_per


class PointMLPStage(nn.Module):
    """One stage: group, residual MLPs per neighbour, max over neighbours, residual MLPs per centre.

    Args:
        in_channels: Channels of the input features.
        channels: Channels of the output features.
        num_points: Centres to sample.
        num_neighbors: Neighbours per centre.
        pre_blocks: Residual MLPs before the max.
        pos_blocks: Residual MLPs after it.
        ratio: Width inside a residual MLP as a multiple of ``channels``.
        compat: As in :class:`LocalGrouper`.
        fps_start: As in :class:`LocalGrouper`.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        num_points: int,
        num_neighbors: int,
        pre_blocks: int,
        pos_blocks: int,
        ratio: float,
        compat: str | None,
        fps_start: int | str,
    ) -> None:
        super().__init__()
        self.grouper = LocalGrouper(in_channels, num_points, num_neighbors, compat, fps_start)
        self.transfer = LinearNormAct(2 * in_channels, channels, bias=False)
        self.pre = nn.Sequential(*(ResidualMLP(channels, ratio) for _ in range(pre_blocks)))
        self.pos = nn.Sequential(*(ResidualMLP(channels, ratio) for _ in range(pos_blocks)))

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, in_channels) to (B, M, 3) and (B, M, channels)."""
        coords, x = self.grouper.forward_linear(coords, features, self.transfer.linear)
        return coords, self.pos(max_pool(self.pre(self.transfer.finish(x)), dim=2))


@BACKBONES.register_module()
class PointMLP(BaseModule):
    """PointMLP (Ma et al., ICLR 2022), with the per-sample normalisation of the code since February
    2022.

    With a 512-256-40 head 13,238,504 parameters (the paper's 12.6 M counts in units of 2^20).

    ``stages`` of the output: the features after each stage (B, C_i, M_i). ``point_feats`` (B,
    out_channels, M) are those before the global max pooling, at ``coords`` (B, M, 3). ``levels``:
    the embedded points, then the centres of each stage.

    Any N: a cloud smaller than a sampling size keeps all its points, and ``min(num_neighbors, N)``
    neighbours are used. Training needs more than one row for BatchNorm: B > 1, or M > 1.

    Args:
        in_channels: Channels of the points, xyz first; all are embedded, neighbours are found by
            xyz.
        embed_channels: Width of the embedding.
        channels: Width per stage.
        num_points: Centres per stage; published for 1,024 input points, each stage keeps half.
        num_neighbors: Neighbours per centre, itself included.
        pre_blocks: Residual MLPs per stage before the max over neighbours.
        pos_blocks: Residual MLPs per stage after it.
        residual_ratio: Width inside a residual MLP as a multiple of the stage's.
        compat: None, or ``'pointnet2'`` for the CUDA extension's sampling (skips points near the
            origin), as published.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        embed_channels: int = 64,
        channels: Sequence[int] = (128, 256, 512, 1024),
        num_points: Sequence[int] = (512, 256, 128, 64),
        num_neighbors: int = 24,
        pre_blocks: Sequence[int] = (2, 2, 2, 2),
        pos_blocks: Sequence[int] = (2, 2, 2, 2),
        residual_ratio: float = 1.0,
        compat: str | None = None,
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        name = type(self).__name__
        check_one_per(
            name,
            'stage',
            channels=channels,
            num_points=num_points,
            pre_blocks=pre_blocks,
            pos_blocks=pos_blocks,
        )
        self.in_channels = check_in_channels(in_channels, name)
        self.embedding = LinearNormAct(in_channels, embed_channels, bias=False)
        self.stages = nn.ModuleList(
            PointMLPStage(
                *widths, count, num_neighbors, pre, pos, residual_ratio, compat, fps_start
            )
            for widths, count, pre, pos in zip(
                pairwise([embed_channels, *channels]), num_points, pre_blocks, pos_blocks
            )
        )
        self.out_channels = channels[-1]
        self.level_channels = (embed_channels, *channels)

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, _ = split_points(points, self.in_channels, type(self).__name__)
        features = self.embedding(points)
        levels = [Level(coords, features)]
        for stage in self.stages:
            coords, features = stage(coords, features)
            levels.append(Level(coords, features))
        stages = tuple(level.feats.transpose(1, 2) for level in levels[1:])
        return PointFeatures(max_pool(features, dim=1), stages[-1], coords, stages, tuple(levels))


@BACKBONES.register_module()
class PointMLPElite(PointMLP):
    """PointMLP-elite: :class:`PointMLP` with narrow stages and bottlenecks.

    With a 512-256-40 head 716,232 parameters (the paper's 0.68 M counts in units of 2^20).

    Args:
        in_channels: As in :class:`PointMLP`, and so are the others.
        embed_channels: Width of the embedding.
        channels: Width per stage.
        pre_blocks: Residual MLPs per stage before the max over neighbours.
        pos_blocks: Residual MLPs per stage after it.
        residual_ratio: Width inside a residual MLP as a multiple of the stage's.
        kwargs: Other arguments of :class:`PointMLP`.
    """

    def __init__(
        self,
        in_channels: int = 3,
        embed_channels: int = 32,
        channels: Sequence[int] = (64, 128, 256, 256),
        pre_blocks: Sequence[int] = (1, 1, 2, 1),
        pos_blocks: Sequence[int] = (1, 1, 2, 1),
        residual_ratio: float = 0.25,
        **kwargs: object,
    ) -> None:
        super().__init__(
            in_channels,
            embed_channels,
            channels,
            pre_blocks=pre_blocks,
            pos_blocks=pos_blocks,
            residual_ratio=residual_ratio,
            **kwargs,
        )
