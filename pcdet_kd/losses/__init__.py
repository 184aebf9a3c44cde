"""Losses: pure functions, and thin classes with a ``loss_weight`` over them. What several share is
in :mod:`.functional`; a method with more to say has one file for its function and its class.
"""

from pcdet_kd.losses import functional
from pcdet_kd.losses.attention_transfer import AttentionTransferLoss
from pcdet_kd.losses.contrastive import NoiseContrastLoss
from pcdet_kd.losses.cross_entropy import CrossEntropyLoss
from pcdet_kd.losses.decoupled_kd import DecoupledKDLoss
from pcdet_kd.losses.feature_mse import FeatureMSELoss
from pcdet_kd.losses.feature_smooth_l1 import FeatureSmoothL1Loss
from pcdet_kd.losses.inheritance_exploration import ExplorationLoss, InheritanceLoss
from pcdet_kd.losses.joint_graph_entropy import JointGraphEntropyLoss
from pcdet_kd.losses.koleo import KoLeoLoss
from pcdet_kd.losses.logit_kd import LogitKDLoss
from pcdet_kd.losses.logit_mse import LogitMSELoss
from pcdet_kd.losses.normalized_mse import NormalizedMSELoss
from pcdet_kd.losses.point_l2 import PointL2Loss
from pcdet_kd.losses.point_set import ChamferLoss, EarthMoverLoss
from pcdet_kd.losses.probabilistic_transfer import ProbabilisticTransferLoss
from pcdet_kd.losses.relational_kd import RelationalKDLoss
from pcdet_kd.losses.self_distillation import SelfDistillationLoss
from pcdet_kd.losses.similarity_preserving import SimilarityPreservingLoss
from pcdet_kd.losses.variational import VariationalLoss

__all__ = [
    'AttentionTransferLoss',
    'ChamferLoss',
    'CrossEntropyLoss',
    'DecoupledKDLoss',
    'EarthMoverLoss',
    'ExplorationLoss',
    'FeatureMSELoss',
    'FeatureSmoothL1Loss',
    'InheritanceLoss',
    'JointGraphEntropyLoss',
    'KoLeoLoss',
    'LogitKDLoss',
    'LogitMSELoss',
    'NoiseContrastLoss',
    'NormalizedMSELoss',
    'PointL2Loss',
    'ProbabilisticTransferLoss',
    'RelationalKDLoss',
    'SelfDistillationLoss',
    'SimilarityPreservingLoss',
    'VariationalLoss',
    'functional',
]
