"""Multi-view image network."""

from mmengine.model import BaseModule
from torch import Tensor

from pcdet_kd.layers import ResNet, load_torchvision_weights, max_pool
from pcdet_kd.registry import BACKBONES, MODELS
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_choice


@BACKBONES.register_module()
class MultiViewResNet(BaseModule):
    """A ResNet on every view of a shape, and the maximum or mean over the views (Su et al., MVCNN,
    ICCV 2015).

    The image teacher of PointCMT is depth 18 with ``'max'`` and a single linear layer as head:
    11,176,512 parameters here, 11,197,032 with 40 classes. ``global_feat`` is not negative. Its
    input is ``views``: use ``input_key='views'``. With a ``projection`` it takes points instead, as
    any point network does, and makes the views itself.

    ``point_feats`` of the output are the features per view (B, out_channels, V). Any V and any
    image size.

    Args:
        depth: 18, 34 or 50.
        in_channels: Channels of the images.
        base_width: Channels of the first stage, doubled in each of the three others; 64 as
            published.
        small_input: Stem for images of about 64 pixels or less; see :class:`ResNet`.
        aggregation: ``'max'`` or ``'mean'`` over the views.
        projection: Config of a module that makes views (B, V, in_channels, H, W) of points (B, N,
            C), for example ``dict(type='PerspectiveProjection')``, or None to be given views.
        pretrained: File or address of ImageNet weights in torchvision's format, read in
            ``init_weights``. Everything but its classifier must fit.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        depth: int = 18,
        in_channels: int = 3,
        base_width: int = 64,
        small_input: bool = False,
        aggregation: str = 'max',
        projection: dict | None = None,
        pretrained: str | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_choice('aggregation', aggregation, ('max', 'mean'))
        self.in_channels = in_channels
        self.aggregation = aggregation
        self.projection = MODELS.build(projection) if projection else None
        self.pretrained = pretrained
        self.trunk = ResNet(depth, in_channels, base_width, small_input)
        self.out_channels = self.trunk.out_channels

    def init_weights(self) -> None:
        """Read ``pretrained``, unless an ``init_cfg`` or a checkpoint did so before.

        Raises:
            CheckpointError: The file is missing or damaged, or does not fit.
        """
        already = self.is_init or self.init_cfg is not None
        super().init_weights()
        if self.pretrained and not already:
            load_torchvision_weights(self.trunk, self.pretrained)

    def forward(self, views: Tensor) -> PointFeatures:
        """Map (B, V, in_channels, H, W), or points (B, N, C) if there is a projection, to features;
        see the class.

        Raises:
            ValueError: The shape is another one.
        """
        if self.projection is not None:
            views = self.projection(views)
        if views.dim() != 5 or views.shape[2] != self.in_channels or views.shape[1] == 0:
            raise ValueError(
                f'MultiViewResNet takes views (B, V, {self.in_channels}, H, W) with V > 0, got '
                f'{tuple(views.shape)}'
            )
        features = self.trunk(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        global_feat = (
            max_pool(features, dim=1) if self.aggregation == 'max' else features.mean(dim=1)
        )
        return PointFeatures(global_feat, features.transpose(1, 2))
