"""What is there, what is broken, and what mends it: environment, data, configs, checkpoints."""

from pcdet_kd.apis.doctor.ckpt import check_ckpt
from pcdet_kd.apis.doctor.config import check_config
from pcdet_kd.apis.doctor.data import check_data, check_data_of_config
from pcdet_kd.apis.doctor.env import check_env
from pcdet_kd.apis.doctor.report import Finding, Report

__all__ = [
    'Finding',
    'Report',
    'check_ckpt',
    'check_config',
    'check_data',
    'check_data_of_config',
    'check_env',
]
