"""Transforms of samples, in MMCV's calling convention; MMCV's own wrappers and transforms may be
mixed in.

A transform gets a sample (a dict) and returns a new one; it changes neither the dict nor an array
in it. Random transforms draw from NumPy's global generator, which the data set seeds for every
sample.
"""

from pcdet_kd.datasets.transforms.corruption import Corrupt, RandomCorruptions
from pcdet_kd.datasets.transforms.dropout import RandomPointDropout
from pcdet_kd.datasets.transforms.height import AddHeight
from pcdet_kd.datasets.transforms.jitter import RandomJitter
from pcdet_kd.datasets.transforms.load_views import LoadViews
from pcdet_kd.datasets.transforms.multi_crop import MultiCrop
from pcdet_kd.datasets.transforms.normalize import CenterPoints, UnitBox, UnitSphere
from pcdet_kd.datasets.transforms.packing import PackPointInputs
from pcdet_kd.datasets.transforms.point_wolf import PointWOLF
from pcdet_kd.datasets.transforms.rotation import RandomRotate
from pcdet_kd.datasets.transforms.sampling import (
    FarthestPoints,
    FarthestThenRandom,
    FirstPoints,
    PointSampling,
    RandomPoints,
)
from pcdet_kd.datasets.transforms.scale_shift import RandomScale, RandomShift
from pcdet_kd.datasets.transforms.score_every_point import ScoreEveryPoint
from pcdet_kd.datasets.transforms.shuffle import ShufflePoints
from pcdet_kd.datasets.transforms.siamese import SiameseViews
from pcdet_kd.datasets.transforms.up_axis import ConvertUpAxis
from pcdet_kd.datasets.transforms.views import ProjectViews

__all__ = [
    'AddHeight',
    'CenterPoints',
    'ConvertUpAxis',
    'Corrupt',
    'FarthestPoints',
    'FarthestThenRandom',
    'FirstPoints',
    'LoadViews',
    'MultiCrop',
    'PackPointInputs',
    'PointSampling',
    'PointWOLF',
    'ProjectViews',
    'RandomCorruptions',
    'RandomJitter',
    'RandomPointDropout',
    'RandomPoints',
    'RandomRotate',
    'RandomScale',
    'RandomShift',
    'ScoreEveryPoint',
    'ShufflePoints',
    'SiameseViews',
    'UnitBox',
    'UnitSphere',
]
