"""Models as files: ONNX, torch.export, and folders in the form of Hugging Face's hub."""

from pcdet_kd.apis.export.description import Description, ExportError
from pcdet_kd.apis.export.export import ExportResult, export_model
from pcdet_kd.apis.export.onnx_file import OnnxModel
from pcdet_kd.apis.export.pretrained import (
    PretrainedModel,
    from_pretrained,
    save_pretrained,
)
from pcdet_kd.apis.export.torch_file import TorchModel

__all__ = [
    'Description',
    'ExportError',
    'ExportResult',
    'OnnxModel',
    'PretrainedModel',
    'TorchModel',
    'export_model',
    'from_pretrained',
    'save_pretrained',
]
