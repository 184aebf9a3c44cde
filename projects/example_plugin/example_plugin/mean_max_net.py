import torch
from mmengine.model import BaseModule

from pcdet_kd.layers import MLP
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures


@BACKBONES.register_module()
class MeanMaxNet(BaseModule):
    """A point-wise MLP, then the maximum and the mean over the points."""

    def __init__(
        self, in_channels: int = 3, width: int = 128, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.mlp = MLP([in_channels, width, width, 2 * width], bias=False)
        self.out_channels = 4 * width

    def forward(self, points: torch.Tensor) -> PointFeatures:
        x = self.mlp(points)  # (B, N, 2 * width)
        return PointFeatures(
            torch.cat([x.amax(1), x.mean(1)], dim=1), x.transpose(1, 2), points[..., :3]
        )
