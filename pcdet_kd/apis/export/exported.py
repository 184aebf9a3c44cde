"""An exported model of any format, used as a classifier is."""

import os
from pathlib import Path

import torch
from torch import Tensor

from pcdet_kd.apis.export.description import ExportError
from pcdet_kd.apis.export.onnx_file import OnnxModel
from pcdet_kd.apis.export.pretrained import PretrainedModel
from pcdet_kd.apis.export.torch_file import TorchModel
from pcdet_kd.models.preprocessor import PointDataPreprocessor
from pcdet_kd.structures import ModelOutput, PointDataSample
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.exported_files import format_of
from pcdet_kd.utils.stored_model import build_stored_model


class ExportedClassifier:
    """An exported model with what the inferencer asks of a classifier: ``data_preprocessor``,
    ``extract`` and ``head.predict``.

    Args:
        path: ``.onnx`` or ``.pt2`` file, a pretrained folder, or the name of a repository.
        device: Where a pretrained folder's model runs; files run on the CPU. None: the CPU.
        trust: Also read a ``.pt2`` file, **which can run any code that the file holds**.

    Attributes:
        description: What it says about itself.

    Raises:
        CheckpointError: It cannot be used, or is a ``.pt2`` file without ``trust``.
        ExportError: A file is to run on another device than the CPU.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        device: str | torch.device | None = None,
        trust: bool = False,
    ) -> None:
        kind, source = format_of(path), os.fspath(path)
        file = Path(path).expanduser()
        if kind == 'safetensors':
            self.run = PretrainedModel(path, device or 'cpu')
        elif not file.is_file():
            raise CheckpointError(f'{source} is not a file. Check the path, or export the model')
        elif device is not None and torch.device(device).type != 'cpu':
            raise ExportError(
                f'{source} runs on the CPU here, the device is {device}. Leave the device out, or '
                'export the model as a folder'
            )
        elif kind == 'onnx':
            self.run = OnnxModel(file, source)
        elif trust:
            self.run = TorchModel(file, source)
        else:
            raise CheckpointError(
                f'{source}: reading a file of torch.export can run code that it holds. If you made '
                'it yourself, add --trust (from Python trust=True); an .onnx file or a folder '
                'needs no trust'
            )
        self.description = self.run.description
        self.head = self
        self.num_classes = len(self.description.classes)
        self.data_preprocessor = PointDataPreprocessor()
        if self.description.views is not None:
            self.data_preprocessor.views = build_stored_model(self.description.views, {}, source)

    def extract(self, inputs: dict[str, Tensor]) -> tuple[None, ModelOutput]:
        """Return nothing, as there are no features of the backbone, and the model's output."""
        logits, feature = self.run(inputs[self.description.input])
        return None, ModelOutput(logits, feature)

    def predict(self, logits: Tensor, samples: list[PointDataSample]) -> list[PointDataSample]:
        """Return the samples with ``pred_score`` (K,) and ``pred_label``."""
        scores = logits.softmax(dim=-1)
        return [sample.new().set_pred_score(score) for sample, score in zip(samples, scores)]
