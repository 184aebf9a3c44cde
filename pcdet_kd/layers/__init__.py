"""Building blocks of backbones and heads."""

from pcdet_kd.layers.centres import CentreSampler
from pcdet_kd.layers.drop_path import DropPath
from pcdet_kd.layers.edge_conv import EdgeConv
from pcdet_kd.layers.edge_linear import edge_linear
from pcdet_kd.layers.feature_propagation import FeaturePropagation, JoinedLinear
from pcdet_kd.layers.geometric_affine import LocalGrouper
from pcdet_kd.layers.inputs import (
    at_least_float32,
    check_in_channels,
    split_points,
)
from pcdet_kd.layers.latent_predictor import LatentPredictor
from pcdet_kd.layers.linear import Linear
from pcdet_kd.layers.mlp import MLP, LinearNormAct, ResidualMLP, per_layer
from pcdet_kd.layers.patch_embedding import (
    MiniPointNet,
    PatchGrouper,
    PositionEmbedding,
    take_patches,
    take_visible,
)
from pcdet_kd.layers.patch_masks import patch_masks
from pcdet_kd.layers.pooling import max_mean_pool, max_pool
from pcdet_kd.layers.projection_head import ProjectionHead
from pcdet_kd.layers.resnet import ResNet, load_torchvision_weights
from pcdet_kd.layers.set_abstraction import GlobalSetAbstraction, SetAbstraction
from pcdet_kd.layers.tnet import TNet, orthogonality_loss
from pcdet_kd.layers.transformer import (
    Attention,
    FeedForward,
    Transformer,
    TransformerBlock,
    token_norm,
)
from pcdet_kd.layers.unit_sphere import unit_sphere

__all__ = [
    'CentreSampler',
    'Attention',
    'DropPath',
    'EdgeConv',
    'FeaturePropagation',
    'FeedForward',
    'GlobalSetAbstraction',
    'JoinedLinear',
    'LatentPredictor',
    'Linear',
    'LinearNormAct',
    'LocalGrouper',
    'MLP',
    'MiniPointNet',
    'PatchGrouper',
    'PositionEmbedding',
    'ProjectionHead',
    'ResNet',
    'ResidualMLP',
    'SetAbstraction',
    'TNet',
    'Transformer',
    'TransformerBlock',
    'at_least_float32',
    'check_in_channels',
    'edge_linear',
    'load_torchvision_weights',
    'max_mean_pool',
    'max_pool',
    'orthogonality_loss',
    'patch_masks',
    'per_layer',
    'split_points',
    'take_patches',
    'take_visible',
    'token_norm',
    'unit_sphere',
]
