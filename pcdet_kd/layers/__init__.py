"""Building blocks of backbones and heads."""

from pcdet_kd.layers.edge_conv import EdgeConv
from pcdet_kd.layers.geometric_affine import LocalGrouper
from pcdet_kd.layers.inputs import at_least_float32, check_in_channels, split_points
from pcdet_kd.layers.mlp import MLP, LinearNormAct, ResidualMLP, per_layer
from pcdet_kd.layers.pooling import max_pool
from pcdet_kd.layers.resnet import ResNet, load_torchvision_weights
from pcdet_kd.layers.set_abstraction import GlobalSetAbstraction, SetAbstraction
from pcdet_kd.layers.tnet import TNet, orthogonality_loss

__all__ = ['EdgeConv', 'GlobalSetAbstraction', 'LinearNormAct', 'LocalGrouper', 'MLP', 'ResNet', 'ResidualMLP',
           'SetAbstraction', 'TNet', 'at_least_float32', 'check_in_channels', 'load_torchvision_weights', 'max_pool',
           'orthogonality_loss', 'per_layer', 'split_points']
