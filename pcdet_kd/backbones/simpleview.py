"""SimpleView."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import ResNet, split_points
from pcdet_kd.layers.resnet import BasicBlock
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.views import project_points


@BACKBONES.register_module()
class SimpleView(BaseModule):
    """SimpleView (Goyal et al., ICML 2021): a quarter-width ResNet-18 on six depth images of the
    points.

    The features of the views are normalised, drop out one by one, and are concatenated: unlike
    :class:`MultiViewResNet` it knows which view is which. With the authors' head, one hidden layer
    (``hidden_channels=(128,), dropout=0.5``), 803,992 parameters for 40 classes and 800,767 for 15;
    12,763,624 with ``base_width=64`` and ``hidden_channels=(512,)``. BatchNorm and dropout before
    the concatenation are the head's in the authors' code, and the backbone's here.

    ``point_feats`` of the output are the features per view (B, C, V), before normalisation and
    dropout.

    Any N, in any order; coordinates should lie in a unit sphere, and points outside the images do
    not count. Training works with B = 1.

    Args:
        in_channels: Channels of the points: 3, or 6 with red, green and blue, which then make the
            images' first channels.
        base_width: Channels of the first stage, doubled in each of the three others.
        num_views: The first n of the six views.
        image_size: Height and width of the images in pixels.
        distance: Of the cameras from the origin.
        up_axis: Which axis is up in the images from the sides.
        dropout: Dropout probability of the views' features.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int = 3,
        base_width: int = 16,
        num_views: int = 6,
        image_size: int = 128,
        distance: float = 1.4,
        up_axis: str = 'y',
        dropout: float = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if in_channels not in (3, 6):
            raise ValueError(
                f'SimpleView: in_channels is {in_channels}, must be 3 (x, y, z) or 6 (and red, '
                'green, blue)'
            )
        self.in_channels = in_channels
        self.projection = dict(
            num_views=num_views, image_size=image_size, distance=distance, up_axis=up_axis
        )
        self.trunk = ResNet(18, 1 if in_channels == 3 else 4, base_width, small_input=True)
        for block in self.trunk.modules():
            if isinstance(block, BasicBlock):
                nn.init.zeros_(block.bn2.weight)
        self.norm = nn.BatchNorm1d(self.trunk.out_channels)
        self.drop = nn.Dropout(dropout)
        self.out_channels = num_views * self.trunk.out_channels

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        coords, rgb = split_points(points, self.in_channels, 'SimpleView')
        images = project_points(coords, rgb, **self.projection)
        features = self.trunk(images.flatten(0, 1))
        each = self.drop(self.norm(features)).unflatten(0, images.shape[:2])
        return PointFeatures(
            each.flatten(1), features.unflatten(0, images.shape[:2]).transpose(1, 2)
        )
