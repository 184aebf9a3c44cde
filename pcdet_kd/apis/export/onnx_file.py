"""ONNX files: written with a description, run with onnxruntime."""

import logging
import os
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from pcdet_kd.apis.export.description import Description, ExportError
from pcdet_kd.apis.export.program import OUTPUTS, quiet
from pcdet_kd.utils.checkpoint import CheckpointError, first_line
from pcdet_kd.utils.errors import MissingPackageError

_INSTALL = "pip install 'pcdet_kd[export]'"
_MOST_BYTES = 2**31 - 1  # of a file without further ones beside it


def to_onnx(program: torch.export.ExportedProgram, description: Description) -> bytes:
    """Return the content of an ONNX file: input ``points`` or ``views`` with any batch size,
    outputs ``logits`` and ``feature``, and the description in ``metadata_props``.

    Args:
        program: From :func:`~pcdet_kd.apis.export.program.trace`.
        description: Of the model.

    Raises:
        MissingPackageError: onnx or onnxscript is not installed.
        ExportError: An operator has no form in ONNX, or the model is too large.
    """
    try:
        import onnx  # noqa: F401

        from pcdet_kd.ops.onnx_functions import onnx_decompositions, onnx_translations
    except ImportError as error:
        raise MissingPackageError(f'ONNX files need {error.name}: {_INSTALL}') from error
    with quiet(), _no_logging(), torch.no_grad():
        try:
            exported = torch.onnx.export(
                program.run_decompositions(onnx_decompositions()),
                dynamo=True,
                verbose=False,
                input_names=[description.input],
                output_names=list(OUTPUTS),
                custom_translation_table=onnx_translations(),
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise ExportError(
                f'the model has no form in ONNX: {first_line(error)}. Export it with --format '
                'torch, or as a folder'
            ) from error
    exported.model.metadata_props.update(description.texts())
    proto = exported.model_proto
    if proto.ByteSize() > _MOST_BYTES:
        raise ExportError(
            f'the model has {proto.ByteSize():,} bytes, an ONNX file at most {_MOST_BYTES:,}. '
            'Export it with --format torch, or as a folder'
        )
    return proto.SerializeToString()


class OnnxModel:
    """An ONNX file in onnxruntime, on the CPU with as many threads as torch has.

    Args:
        file: Path, or content.
        source: Name for messages.

    Attributes:
        description: What the file says about itself.

    Raises:
        MissingPackageError: onnxruntime is not installed.
        CheckpointError: The file cannot be used, or does not describe itself.
    """

    def __init__(self, file: str | os.PathLike | bytes, source: str) -> None:
        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(
                file if isinstance(file, bytes) else os.fspath(file),
                options,
                providers=['CPUExecutionProvider'],
            )
        except Exception as error:  # onnxruntime's have no common base
            raise CheckpointError(
                f'{source} cannot be read by onnxruntime: {first_line(error)}. Export the model '
                'again'
            ) from error
        meta = self.session.get_modelmeta().custom_metadata_map
        self.description = Description.read(meta, source)

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map inputs (B, ...) to logits (B, K) and features (B, D)."""
        given = {self.description.input: np.ascontiguousarray(inputs.cpu().numpy())}
        logits, feature = self.session.run(list(OUTPUTS), given)
        return torch.from_numpy(logits), torch.from_numpy(feature)


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackageError(f'ONNX files need onnxruntime: {_INSTALL}') from error
    return onnxruntime


class _no_logging:
    """Keep torch's and onnxscript's exporters from logging what helps nobody, such as that
    torchvision is not installed.
    """

    def __enter__(self) -> None:
        self.before = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(self.before)
