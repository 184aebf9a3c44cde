"""What a script or notebook calls: models by name, and the weights of published code."""

import pcdet_kd.engine  # noqa: F401  its compat comes before all else of MMEngine
from pcdet_kd.apis.browse import browse_dataset
from pcdet_kd.apis.compare import Comparison, compare
from pcdet_kd.apis.diagnosis import diagnose, write_diagnosis
from pcdet_kd.apis.export import ExportResult, export_model, from_pretrained, save_pretrained
from pcdet_kd.apis.few_shot import FewShotResult, few_shot, few_shot_probe
from pcdet_kd.apis.inferencer import PointCloudClassificationInferencer
from pcdet_kd.apis.models import (
    ModelInfo,
    get_model,
    init_model,
    list_models,
    model_config,
    model_infos,
)
from pcdet_kd.apis.official import Conversion, convert_file, convert_official
from pcdet_kd.apis.official_archs import Official
from pcdet_kd.apis.own_data import OwnData, write_config
from pcdet_kd.apis.parts import draw_part_predictions
from pcdet_kd.apis.playground import playground
from pcdet_kd.apis.probe import ProbeResult, probe
from pcdet_kd.apis.saliency import SaliencyMaps, saliency_maps
from pcdet_kd.apis.tables import TableResult, read_table, run_table, write_table
from pcdet_kd.apis.test import TestResult, test
from pcdet_kd.apis.train import TrainResult, train
from pcdet_kd.apis.tsne import tsne
from pcdet_kd.utils.config_root import config_root

__all__ = [
    'Comparison',
    'Conversion',
    'ExportResult',
    'FewShotResult',
    'ModelInfo',
    'Official',
    'OwnData',
    'PointCloudClassificationInferencer',
    'ProbeResult',
    'SaliencyMaps',
    'TableResult',
    'TestResult',
    'TrainResult',
    'browse_dataset',
    'compare',
    'config_root',
    'convert_file',
    'convert_official',
    'diagnose',
    'draw_part_predictions',
    'export_model',
    'few_shot',
    'few_shot_probe',
    'from_pretrained',
    'get_model',
    'init_model',
    'list_models',
    'model_config',
    'model_infos',
    'playground',
    'probe',
    'read_table',
    'run_table',
    'saliency_maps',
    'save_pretrained',
    'test',
    'train',
    'tsne',
    'write_config',
    'write_diagnosis',
    'write_table',
]
