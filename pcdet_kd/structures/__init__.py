"""What flows between parts: samples, backbone features and model outputs."""

from pcdet_kd.structures.crops import Crops
from pcdet_kd.structures.outputs import Level, ModelOutput, PointFeatures
from pcdet_kd.structures.point_data_sample import PointDataSample, pseudo_targets, targets

__all__ = [
    'Crops',
    'Level',
    'ModelOutput',
    'PointDataSample',
    'PointFeatures',
    'pseudo_targets',
    'targets',
]
