"""Backbones: from points (B, N, C), or views (B, V, 3, H, W), to :class:`PointFeatures`.

A backbone is a ``BaseModule`` with an ``out_channels: int``, registered in ``BACKBONES``. It may
have a method ``auxiliary_losses(features) -> dict[str, Tensor]`` that returns loss terms of its own
for the features of one forward; a classifier adds them in training.
``pcdet_kd.testing.check_backbone`` checks the contract.
"""

from pcdet_kd.backbones.curvenet import CurveNet
from pcdet_kd.backbones.dgcnn import DGCNN
from pcdet_kd.backbones.gdanet import GDANet
from pcdet_kd.backbones.hf_image import HFImageBackbone
from pcdet_kd.backbones.multi_view_resnet import MultiViewResNet
from pcdet_kd.backbones.pct import PCT
from pcdet_kd.backbones.point_transformer import PointTransformer
from pcdet_kd.backbones.point_vit import PointViT
from pcdet_kd.backbones.pointmlp import PointMLP, PointMLPElite
from pcdet_kd.backbones.pointnet import PointNet
from pcdet_kd.backbones.pointnet2 import PointNet2MSG, PointNet2SSG
from pcdet_kd.backbones.pointnext import PointNeXt
from pcdet_kd.backbones.repsurf import RepSurf
from pcdet_kd.backbones.rscnn import RSCNN
from pcdet_kd.backbones.simpleview import SimpleView
from pcdet_kd.backbones.wrapped_module import WrappedModule

__all__ = [
    'CurveNet',
    'DGCNN',
    'GDANet',
    'HFImageBackbone',
    'MultiViewResNet',
    'PCT',
    'PointMLP',
    'PointMLPElite',
    'PointNeXt',
    'PointNet',
    'PointNet2MSG',
    'PointNet2SSG',
    'PointTransformer',
    'PointViT',
    'RSCNN',
    'RepSurf',
    'SimpleView',
    'WrappedModule',
]
