"""Distillers: how a student learns from teachers. One method, one file."""

from pcdet_kd.distillers.asymdsd import AsymDSD
from pcdet_kd.distillers.attention_kd import AttentionKD
from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.combined import Combined
from pcdet_kd.distillers.contrast_memory import ContrastMemory
from pcdet_kd.distillers.crd import CRD
from pcdet_kd.distillers.feature_kd import FeatureKD
from pcdet_kd.distillers.iekd import IEKD
from pcdet_kd.distillers.jgekd import JGEKD
from pcdet_kd.distillers.logit_kd import LogitKD
from pcdet_kd.distillers.pointcmt import PointCMT
from pcdet_kd.distillers.srrl import SRRL

__all__ = [
    'CRD',
    'IEKD',
    'JGEKD',
    'SRRL',
    'AsymDSD',
    'AttentionKD',
    'Combined',
    'ContrastMemory',
    'Distiller',
    'FeatureKD',
    'LogitKD',
    'PointCMT',
]
