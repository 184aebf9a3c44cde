"""Losses: pure functions in :mod:`.functional`, and thin classes with a ``loss_weight`` over
them.
"""

from pcdet_kd.losses import functional
from pcdet_kd.losses.cross_entropy import CrossEntropyLoss
from pcdet_kd.losses.feature_mse import FeatureMSELoss
from pcdet_kd.losses.feature_smooth_l1 import FeatureSmoothL1Loss
from pcdet_kd.losses.joint_graph_entropy import JointGraphEntropyLoss
from pcdet_kd.losses.koleo import KoLeoLoss
from pcdet_kd.losses.logit_kd import LogitKDLoss
from pcdet_kd.losses.point_set import ChamferLoss, EarthMoverLoss
from pcdet_kd.losses.self_distillation import SelfDistillationLoss

__all__ = [
    'ChamferLoss',
    'CrossEntropyLoss',
    'EarthMoverLoss',
    'FeatureMSELoss',
    'FeatureSmoothL1Loss',
    'JointGraphEntropyLoss',
    'KoLeoLoss',
    'LogitKDLoss',
    'SelfDistillationLoss',
    'functional',
]
