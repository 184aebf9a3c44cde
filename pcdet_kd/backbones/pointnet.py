"""PointNet."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor

from pcdet_kd.layers import MLP, TNet, check_in_channels, max_pool, orthogonality_loss, split_points
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import from_preset

_VARIANTS = {
    'paper': dict(local_channels=(64, 64), global_channels=(64, 128, 1024), last_act=True),
    'fxia22': dict(local_channels=(64,), global_channels=(128, 1024), last_act=False),
}


@BACKBONES.register_module()
class PointNet(BaseModule):
    """PointNet (Qi et al., CVPR 2017): point-wise MLPs, two alignment networks and one max pooling.

    ``variant='paper'`` has the widths 64, 64 | 64, 128, 1024 of the paper; ``'fxia22'`` those of
    the PyTorch code that most reported numbers come from (fxia22/pointnet.pytorch, yanx27): 64 |
    128, 1024, without activation after the last layer. With a 512-256-40 head they have 3,480,049
    and 3,471,473 parameters. The PointNet of the DGCNN code is ``variant='paper'`` without
    transforms and biases.

    ``stages`` of the output: the local features (B, C', N), after the feature transform; then, if
    there is one, the feature transform (B, C', C'), which :meth:`auxiliary_losses` keeps near
    orthogonal. ``point_feats`` are the features before the max pooling, one per input point.

    Any N; clouds of one point and batches of one are fine in evaluation, training needs B > 1 with
    transforms (BatchNorm sees one row per cloud there).

    Args:
        in_channels: Channels of the points, xyz first. The input transform looks at all and moves
            xyz.
        variant: ``'paper'`` or ``'fxia22'``; the next three arguments override its values.
        local_channels: Widths before the feature transform.
        global_channels: Widths after it.
        last_act: Whether the last layer has a ReLU.
        input_transform: Whether a 3x3 alignment network moves the coordinates.
        feature_transform: Whether one moves the local features.
        transform_mlp: Point-wise widths of the alignment networks.
        transform_fc: Widths after their pooling.
        orthogonality_weight: Weight of the feature transform's distance from an orthogonal matrix;
            0.001 as published.
        bias: Whether layers that are followed by BatchNorm have a bias.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        variant: str = 'paper',
        local_channels: Sequence[int] | None = None,
        global_channels: Sequence[int] | None = None,
        last_act: bool | None = None,
        input_transform: bool = True,
        feature_transform: bool = True,
        transform_mlp: Sequence[int] = (64, 128, 1024),
        transform_fc: Sequence[int] = (512, 256),
        orthogonality_weight: float = 0.001,
        bias: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        chosen = from_preset(
            'variant',
            variant,
            _VARIANTS,
            local_channels=local_channels,
            global_channels=global_channels,
            last_act=last_act,
        )
        self.in_channels = check_in_channels(in_channels, 'PointNet')
        self.orthogonality_weight = orthogonality_weight
        width = chosen['local_channels'][-1]
        self.input_transform = (
            TNet(3, in_channels, transform_mlp, transform_fc, bias) if input_transform else None
        )
        self.local_mlp = MLP([in_channels, *chosen['local_channels']], bias=bias)
        self.feature_transform = (
            TNet(width, width, transform_mlp, transform_fc, bias) if feature_transform else None
        )
        self.global_mlp = MLP(
            [width, *chosen['global_channels']], bias=bias, last_act=chosen['last_act']
        )
        self.out_channels = self.global_mlp.out_channels

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, extra = split_points(points, self.in_channels, 'PointNet')
        x = points
        if self.input_transform is not None:
            moved = coords @ self.input_transform(points)
            x = moved if extra is None else torch.cat([moved, extra], dim=-1)
        x = self.local_mlp(x)
        transform = None
        if self.feature_transform is not None:
            transform = self.feature_transform(x)
            x = x @ transform
        point_feats = self.global_mlp(x)
        stages = (x.transpose(1, 2),) if transform is None else (x.transpose(1, 2), transform)
        return PointFeatures(
            max_pool(point_feats, dim=1), point_feats.transpose(1, 2), coords, stages
        )

    def auxiliary_losses(self, features: PointFeatures) -> dict[str, Tensor]:
        """Return ``loss_orthogonality`` of this forward's ``features``, weighted; nothing without a
        feature transform.
        """
        if self.feature_transform is None or not self.orthogonality_weight:
            return {}
        return dict(
            loss_orthogonality=self.orthogonality_weight * orthogonality_loss(features.stages[-1])
        )
