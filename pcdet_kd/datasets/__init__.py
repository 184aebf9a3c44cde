"""Data sets: from files to samples, and from samples to batches."""

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.datasets.few_shot import FewShotFold
from pcdet_kd.datasets.modelnet40 import ModelNet40
from pcdet_kd.datasets.modelnet40_resampled import ModelNet40Resampled
from pcdet_kd.datasets.modelnet40c import ModelNet40C
from pcdet_kd.datasets.modelnetc import ModelNetC
from pcdet_kd.datasets.point_bert_few_shot import PointBERTFewShot
from pcdet_kd.datasets.point_cloud_folder import PointCloudFolder
from pcdet_kd.datasets.point_mixture import PointMixture
from pcdet_kd.datasets.point_store import PointStore
from pcdet_kd.datasets.readers import read_points
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.samplers import LabelledShareSampler, SameSizeBatchSampler
from pcdet_kd.datasets.scannet_cls import ScanNetCls
from pcdet_kd.datasets.scanobjectnn import ScanObjectNN
from pcdet_kd.datasets.shapenet55 import ShapeNet55
from pcdet_kd.datasets.shapenet_part import ShapeNetPart
from pcdet_kd.datasets.synthetic_scans import SyntheticScans

__all__ = [
    'FewShotFold',
    'LabelledShareSampler',
    'ModelNet40',
    'ModelNet40C',
    'ModelNet40Resampled',
    'ModelNetC',
    'PointBERTFewShot',
    'PointCloudDataset',
    'PointCloudFolder',
    'PointMixture',
    'PointStore',
    'Records',
    'SameSizeBatchSampler',
    'ScanNetCls',
    'ScanObjectNN',
    'ShapeNet55',
    'ShapeNetPart',
    'SyntheticScans',
    'collate_points',
    'read_points',
]
