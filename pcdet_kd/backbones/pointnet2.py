"""PointNet++."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import GlobalSetAbstraction, SetAbstraction, check_in_channels, split_points
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures


@BACKBONES.register_module()
class PointNet2SSG(BaseModule):
    """PointNet++ with single-scale grouping (Qi et al., NeurIPS 2017).

    Set abstractions followed by a group-all stage. The coordinates should lie in the unit sphere: the radii do not adapt.
    The first centre and the order of the points decide which neighbours a full ball keeps, as in the original.
    With a 512-256-40 head: 1,472,360 parameters, or 1,475,688 with ``bias`` (yanx27's PyTorch code) there and here.

    ``stages`` of the output: the features after each set abstraction (B, C_i, M_i). ``point_feats`` (B, out_channels, M) are
    those before the last max pooling, at ``coords`` (B, M, 3).

    Any N: a cloud smaller than a sampling size keeps all its points, a ball smaller than its neighbour count repeats one.
    Training needs more than one row for BatchNorm: B > 1, or M > 1.

    Args:
        in_channels: Channels of the points, xyz first; the others are features.
        num_points: Centres per set abstraction.
        radii: Radius per set abstraction.
        num_neighbors: Neighbours per set abstraction.
        mlp_channels: Widths of the MLP per set abstraction.
        global_channels: Widths of the group-all stage.
        bias: Whether layers that are followed by BatchNorm have a bias.
        compat: None, or ``'pointnet2'`` for the conventions of the pointnet2 CUDA extension; see :class:`SetAbstraction`.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(self, in_channels: int = 3, num_points: Sequence[int] = (512, 128), radii: Sequence[float] = (0.2, 0.4),
                 num_neighbors: Sequence[int] = (32, 64),
                 mlp_channels: Sequence[Sequence[int]] = ((64, 64, 128), (128, 128, 256)),
                 global_channels: Sequence[int] = (256, 512, 1024), bias: bool = False, compat: str | None = None,
                 fps_start: int | str = 0, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if not len(num_points) == len(radii) == len(num_neighbors) == len(mlp_channels) > 0:
            raise ValueError(f'PointNet2SSG: {len(num_points)} num_points, {len(radii)} radii, {len(num_neighbors)} '
                             f'num_neighbors, {len(mlp_channels)} mlp_channels: give one of each per set abstraction')
        self.in_channels = check_in_channels(in_channels, 'PointNet2SSG')
        self.set_abstractions = nn.ModuleList()
        width = in_channels - 3
        for count, radius, k, widths in zip(num_points, radii, num_neighbors, mlp_channels):
            stage = SetAbstraction(count, [radius], [k], width, [widths], bias, compat, fps_start)
            self.set_abstractions.append(stage)
            width = stage.out_channels
        self.global_abstraction = GlobalSetAbstraction(width, global_channels, bias)
        self.out_channels = self.global_abstraction.out_channels

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, features = split_points(points, self.in_channels, 'PointNet2SSG')
        stages = []
        for stage in self.set_abstractions:
            coords, features = stage(coords, features)
            stages.append(features.transpose(1, 2))
        global_feat, point_feats = self.global_abstraction(coords, features)
        return PointFeatures(global_feat, point_feats.transpose(1, 2), coords, tuple(stages))
