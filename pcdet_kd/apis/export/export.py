"""Exporting a trained classifier, and making sure that it is the same one."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from pcdet_kd.apis.export.comparison import (
    LIMIT,
    Latency,
    Model,
    largest_difference,
    latencies,
)
from pcdet_kd.apis.export.description import Description, ExportError, describe
from pcdet_kd.apis.export.onnx_file import OnnxModel, to_onnx
from pcdet_kd.apis.export.pretrained import PretrainedModel, save_pretrained
from pcdet_kd.apis.export.program import Deployed, example, trace
from pcdet_kd.apis.export.torch_file import TorchModel, to_torch
from pcdet_kd.apis.models import init_model, model_config
from pcdet_kd.engine.config import load_config
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.exported_files import ENDS, format_of
from pcdet_kd.utils.files import write_whole

_WRITERS: dict[str, tuple[Callable, Callable]] = dict(
    onnx=(to_onnx, OnnxModel), torch=(to_torch, TorchModel)
)
CHECKED, TIMED = (1, 2, 5), (1, 32)  # batch sizes


@dataclass
class ExportResult:
    """What was written, and how it compares with the model.

    Attributes:
        path: The file or folder.
        format: ``'onnx'``, ``'torch'`` or ``'safetensors'``.
        description: What it says about itself.
        difference: The largest difference between logits of the model and of what was written.
        latencies: Times of both; empty if none were measured.
    """

    path: Path
    format: str
    description: Description
    difference: float
    latencies: list[Latency]


def export_model(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    format: str = 'onnx',
    num_points: int | None = None,
    num_views: int | None = None,
    image_size: int | None = None,
    options: dict[str, Any] | None = None,
    seconds: float = 1.0,
) -> ExportResult:
    """Export the classifier of a config, or the student of a distiller.

    What was made is run on batches of 1, 2 and 5 random clouds before it is written. If its logits
    differ from the model's by more than 1e-4, nothing is written.

    Args:
        config: Path of a config, name of a model, or a loaded config.
        checkpoint: Weights of the model or of the distiller.
        out: File to write, with the suffix of the format, or folder.
        format: ``'onnx'`` (``.onnx``), ``'torch'`` (``.pt2``, see :func:`torch.export.load`) or
            ``'safetensors'`` (a folder, see :func:`~pcdet_kd.apis.save_pretrained`).
        num_points: N of a cloud, which an exported graph cannot change; None: what the config tests
            with.
        num_views, image_size: Of the views of an image model; None: as its config draws them, or
            6 and 224.
        options: As ``--cfg-options``.
        seconds: Time for each figure of the latencies; 0: measure none.

    Raises:
        ExportError: The model is no classifier, cannot be exported, or differs too much.
        CheckpointError: The checkpoint does not fit.
    """
    check_choice('format', format, tuple(ENDS))
    out = Path(out).expanduser()
    if format_of(out) != format:
        end = f'that ends in {ENDS[format]}' if ENDS[format] else 'of a folder'
        raise ExportError(f"{out} is to be written, expected a name {end} for format '{format}'")
    cfg = config if isinstance(config, Config) else load_config(model_config(config), options)
    deployed = Deployed(init_model(cfg, checkpoint))
    description = describe(deployed.model, cfg, checkpoint, num_points)
    any_size = format == 'safetensors' and description.num_points is None
    sizes = _sizes(description, num_views, image_size, any_size)
    inputs = example(deployed, 2, *sizes)
    description.input_shape = list(inputs.shape[1:])
    if any_size and description.input == 'points':
        description.input_shape[0] = None
    if format == 'safetensors':
        with tempfile.TemporaryDirectory(prefix='pcdet_kd_') as folder:
            save_pretrained(deployed.model, folder, cfg, description)
            found, times = compare(deployed, PretrainedModel(folder), sizes, seconds)
    else:
        write, read = _WRITERS[format]
        content = write(trace(deployed, inputs), description)
        found, times = compare(deployed, read(content, str(out)), sizes, seconds)
    if not found <= LIMIT:
        raise ExportError(
            f'{out} was not written: its logits differ from those of the model by {found:.1e}, '
            f'expected at most {LIMIT:.0e}. Try another --format'
        )
    if format == 'safetensors':
        save_pretrained(deployed.model, out, cfg, description)
    else:
        write_whole(out, content)
    return ExportResult(out, format, description, found, times)


def compare(
    deployed: Deployed, exported: Model, sizes: tuple[int, int, int], seconds: float
) -> tuple[float, list[Latency]]:
    """Return the largest difference on random batches, and the times of both."""
    batches = {n: example(deployed, n, *sizes) for n in {*CHECKED, *(TIMED if seconds else ())}}
    found = largest_difference(deployed, exported, [batches[n] for n in CHECKED])
    if not (seconds and found <= LIMIT):
        return found, []
    return found, latencies(deployed, exported, [batches[n] for n in TIMED], seconds)


def _sizes(
    description: Description, num_views: int | None, image_size: int | None, any_size: bool
) -> tuple[int, int, int]:
    """Return the number of points, the side of a view and the number of views."""
    drawn = description.views or {}
    if description.input == 'points' and description.num_points is None and not any_size:
        raise ExportError(
            'the config tests whole clouds, and an exported graph has one number of points: give '
            '--num-points'
        )
    return (
        description.num_points or 1024,
        image_size or drawn.get('image_size') or 224,
        num_views or drawn.get('num_views') or 6,
    )
