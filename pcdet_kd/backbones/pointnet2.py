"""PointNet++."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import GlobalSetAbstraction, SetAbstraction, check_in_channels, split_points
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import Level, PointFeatures
from pcdet_kd.utils.arguments import check_one_per


class PointNet2(BaseModule):
    """Set abstractions with any number of scales, followed by a group-all stage; see the two
    classes below.

    Args:
        in_channels: Channels of the points, xyz first; the others are features.
        num_points: Centres per set abstraction.
        radii: Per set abstraction the radius of each scale.
        num_neighbors: Per set abstraction the neighbours of each scale.
        mlp_channels: Per set abstraction the widths of each scale's MLP.
        global_channels: Widths of the group-all stage.
        bias: Whether layers that are followed by BatchNorm have a bias.
        compat: As in :class:`SetAbstraction`.
        fps_start: As in :class:`SetAbstraction`.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_points: Sequence[int] = (512, 128),
        radii: Sequence[Sequence[float]] = ((0.1, 0.2, 0.4), (0.2, 0.4, 0.8)),
        num_neighbors: Sequence[Sequence[int]] = ((16, 32, 128), (32, 64, 128)),
        mlp_channels: Sequence[Sequence[Sequence[int]]] = (
            ((32, 32, 64), (64, 64, 128), (64, 96, 128)),
            ((64, 64, 128), (128, 128, 256), (128, 128, 256)),
        ),
        global_channels: Sequence[int] = (256, 512, 1024),
        bias: bool = False,
        compat: str | None = None,
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        name = type(self).__name__
        check_one_per(
            name,
            'set abstraction',
            num_points=num_points,
            radii=radii,
            num_neighbors=num_neighbors,
            mlp_channels=mlp_channels,
        )
        self.in_channels = check_in_channels(in_channels, name)
        self.set_abstractions = nn.ModuleList()
        width = in_channels - 3
        for *balls, widths in zip(num_points, radii, num_neighbors, mlp_channels):
            stage = SetAbstraction(*balls, width, widths, bias, compat, fps_start)
            self.set_abstractions.append(stage)
            width = stage.out_channels
        self.global_abstraction = GlobalSetAbstraction(width, global_channels, bias)
        self.out_channels = self.global_abstraction.out_channels
        self.level_channels = (
            in_channels,
            *(stage.out_channels for stage in self.set_abstractions),
        )

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, features = split_points(points, self.in_channels, type(self).__name__)
        levels = [Level(coords, points)]
        for stage in self.set_abstractions:
            coords, features = stage(coords, features)
            levels.append(Level(coords, features))
        global_feat, point_feats = self.global_abstraction(coords, features)
        stages = tuple(level.feats.transpose(1, 2) for level in levels[1:])
        return PointFeatures(
            global_feat, point_feats.transpose(1, 2), coords, stages, tuple(levels)
        )


@BACKBONES.register_module()
class PointNet2SSG(PointNet2):
    """PointNet++ with single-scale grouping (Qi et al., NeurIPS 2017).

    Set abstractions followed by a group-all stage. The coordinates should lie in the unit sphere:
    the radii do not adapt. The first centre and the order of the points decide which neighbours a
    full ball keeps, as in the original. With a 512-256-40 head: 1,472,360 parameters, or 1,475,688
    with ``bias`` (yanx27's PyTorch code) there and here.

    ``stages`` of the output: the features after each set abstraction (B, C_i, M_i). ``point_feats``
    (B, out_channels, M) are those before the last max pooling, at ``coords`` (B, M, 3). ``levels``:
    the points with all their channels, then the centres of each set abstraction.

    Any N: a cloud smaller than a sampling size keeps all its points, a ball smaller than its
    neighbour count repeats one. Training needs more than one row for BatchNorm: B > 1, or M > 1.

    Args:
        in_channels: Channels of the points, xyz first; the others are features.
        num_points: Centres per set abstraction.
        radii: Radius per set abstraction.
        num_neighbors: Neighbours per set abstraction.
        mlp_channels: Widths of the MLP per set abstraction.
        global_channels: Widths of the group-all stage.
        bias: Whether layers that are followed by BatchNorm have a bias.
        compat: None, or ``'pointnet2'`` for the conventions of the pointnet2 CUDA extension; see
            :class:`SetAbstraction`.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_points: Sequence[int] = (512, 128),
        radii: Sequence[float] = (0.2, 0.4),
        num_neighbors: Sequence[int] = (32, 64),
        mlp_channels: Sequence[Sequence[int]] = ((64, 64, 128), (128, 128, 256)),
        global_channels: Sequence[int] = (256, 512, 1024),
        bias: bool = False,
        compat: str | None = None,
        fps_start: int | str = 0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            num_points,
            [[radius] for radius in radii],
            [[k] for k in num_neighbors],
            [[widths] for widths in mlp_channels],
            global_channels,
            bias,
            compat,
            fps_start,
            init_cfg,
        )


@BACKBONES.register_module()
class PointNet2MSG(PointNet2):
    """PointNet++ with multi-scale grouping (Qi et al., NeurIPS 2017), the student of PointCMT.

    Every set abstraction looks at balls of three radii and concatenates what it finds, so that it
    sees detail where points are dense and context where they are sparse. 1,075,680 parameters; with
    a 512-256-40 head without biases 1,742,856, with ``bias`` there and here 1,747,368 (yanx27's
    PyTorch code), with PointCMT's head, one hidden layer of 512, 1,621,512.

    Output, small clouds and training are as with :class:`PointNet2SSG`.

    Args:
        in_channels: As in :class:`PointNet2SSG`, and so are ``num_points`` and the last five.
        num_points: Centres per set abstraction.
        radii: Per set abstraction the radius of each scale.
        num_neighbors: Per set abstraction the neighbours of each scale.
        mlp_channels: Per set abstraction the widths of each scale's MLP.
        global_channels: Widths of the group-all stage.
        bias: Whether layers that are followed by BatchNorm have a bias.
        compat: None, or ``'pointnet2'`` for the conventions of the pointnet2 CUDA extension, as
            PointCMT has them.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).
        init_cfg: As in MMEngine.
    """
