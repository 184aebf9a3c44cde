"""Whole models: what a config's ``model`` names, distillers aside."""

from pcdet_kd.models import batch_augments
from pcdet_kd.models.classifier import PointClassifier
from pcdet_kd.models.connector import Connector
from pcdet_kd.models.factor_autoencoder import FactorAutoEncoder, FactorEncoder
from pcdet_kd.models.masked_point_encoder import MaskedPointEncoder
from pcdet_kd.models.part_segmentor import PartSegmentor
from pcdet_kd.models.point_generator import PointGenerator
from pcdet_kd.models.preprocessor import PointDataPreprocessor
from pcdet_kd.models.pretrained_backbone import PretrainedBackbone

__all__ = [
    'Connector',
    'FactorAutoEncoder',
    'FactorEncoder',
    'MaskedPointEncoder',
    'PartSegmentor',
    'PointClassifier',
    'PointDataPreprocessor',
    'PointGenerator',
    'PretrainedBackbone',
    'batch_augments',
]
