"""Teachers: what a student learns from. A teacher is an input, not state."""

from pcdet_kd.teachers.base import Frozen, Teacher
from pcdet_kd.teachers.ema import EMATeacher
from pcdet_kd.teachers.feature_bank import FeatureBank
from pcdet_kd.teachers.frozen import (
    FrozenClassifier,
    FrozenEncoder,
    FrozenGenerator,
    FrozenTeacher,
)
from pcdet_kd.teachers.hf_image import HFImageTeacher

__all__ = [
    'EMATeacher',
    'FeatureBank',
    'Frozen',
    'FrozenClassifier',
    'FrozenEncoder',
    'FrozenGenerator',
    'FrozenTeacher',
    'HFImageTeacher',
    'Teacher',
]
