"""What distillation did to a student: agreement, calibration, classes, layers."""

from pcdet_kd.apis.diagnosis.collect import Observed, Run, collect
from pcdet_kd.apis.diagnosis.content import diagnosis
from pcdet_kd.apis.diagnosis.diagnose import diagnose, diagnosis_text, write_diagnosis
from pcdet_kd.apis.diagnosis.page import page

__all__ = [
    'Observed',
    'Run',
    'collect',
    'diagnose',
    'diagnosis',
    'diagnosis_text',
    'page',
    'write_diagnosis',
]
