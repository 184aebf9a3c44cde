"""DGCNN."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import EdgeConv, LinearNormAct, check_in_channels, max_mean_pool, split_points
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import Level, PointFeatures


@BACKBONES.register_module()
class DGCNN(BaseModule):
    """Dynamic graph CNN for classification (Wang et al., TOG 2019): EdgeConvs whose graph is
    recomputed in feature space.

    The outputs of all EdgeConvs are concatenated and embedded per point; the global feature is
    [max, mean] of that. With its authors' head (``hidden_channels=(512, 256), bias=(False, True),
    act='leaky_relu', dropout=0.5``) 1,809,576 parameters for 40 classes, and with PointCMT's, one
    hidden layer of 512, 1,687,976. As published, k is 20 for 1,024 points and 40 for 2,048.

    ``stages`` of the output: the features after each EdgeConv (B, C_i, N). ``point_feats`` (B,
    embed_channels, N) are those before the pooling, one per input point. ``levels``: the outputs of
    the EdgeConvs, all at the input points.

    Any N: a cloud with fewer than k points uses all of them as neighbours. Training needs more than
    one row for BatchNorm.

    Args:
        in_channels: Channels of the points, xyz first; the first EdgeConv sees all, and so does its
            graph.
        channels: Width per EdgeConv.
        embed_channels: Width of the embedding; the global feature is twice as wide.
        num_neighbors: k, the point itself included.
        fused: Whether EdgeConvs take the form without edge tensors; see
            :class:`pcdet_kd.layers.EdgeConv`.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: Sequence[int] = (64, 64, 128, 256),
        embed_channels: int = 1024,
        num_neighbors: int = 20,
        fused: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not channels or num_neighbors < 1:
            raise ValueError(
                f'DGCNN: channels is {tuple(channels)} and num_neighbors {num_neighbors}: give at '
                'least one width and one neighbour'
            )
        self.in_channels = check_in_channels(in_channels, 'DGCNN')
        self.edge_convs = nn.ModuleList(
            EdgeConv(*widths, num_neighbors, fused=fused)
            for widths in pairwise([in_channels, *channels])
        )
        self.embedding = LinearNormAct(sum(channels), embed_channels, act='leaky_relu', bias=False)
        self.out_channels = 2 * embed_channels
        self.level_channels = tuple(channels)

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, _ = split_points(points, self.in_channels, 'DGCNN')
        x, outputs = points, []
        for edge_conv in self.edge_convs:
            x = edge_conv(x)
            outputs.append(x)
        x = self.embedding(torch.cat(outputs, dim=-1))
        return PointFeatures(
            max_mean_pool(x),
            x.transpose(1, 2),
            coords,
            tuple(out.transpose(1, 2) for out in outputs),
            tuple(Level(coords, out) for out in outputs),
        )
