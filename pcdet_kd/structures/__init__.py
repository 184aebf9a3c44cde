"""What flows between parts: samples, backbone features and model outputs."""

from pcdet_kd.structures.outputs import ModelOutput, PointFeatures
from pcdet_kd.structures.point_data_sample import PointDataSample, targets

__all__ = ['ModelOutput', 'PointDataSample', 'PointFeatures', 'targets']
