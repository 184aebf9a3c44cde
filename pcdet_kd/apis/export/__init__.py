"""Models as files for other programs: ONNX and torch.export."""

from pcdet_kd.apis.export.description import Description, ExportError
from pcdet_kd.apis.export.export import ExportResult, export_model
from pcdet_kd.apis.export.onnx_file import OnnxModel
from pcdet_kd.apis.export.torch_file import TorchModel

__all__ = [
    'Description',
    'ExportError',
    'ExportResult',
    'OnnxModel',
    'TorchModel',
    'export_model',
]
