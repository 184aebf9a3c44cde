"""Folders in the form of Hugging Face's hub: ``model.safetensors``, ``config.json`` and a model
card. There is no code in them.
"""

import json
import os
import re
from pathlib import Path
from types import ModuleType

import torch
from mmengine.config import Config
from torch import Tensor, nn

from pcdet_kd.apis.export.description import Description, ExportError, describe
from pcdet_kd.apis.export.model_card import model_card
from pcdet_kd.apis.export.program import Deployed
from pcdet_kd.apis.models import model_config
from pcdet_kd.engine.config import load_config
from pcdet_kd.utils.checkpoint import CheckpointError, first_line, load_weights
from pcdet_kd.utils.errors import MissingPackageError
from pcdet_kd.utils.exported_files import CONFIG
from pcdet_kd.utils.files import write_whole
from pcdet_kd.utils.stored_model import build_stored_model, describe_model
from pcdet_kd.utils.student import student_config, student_of

WEIGHTS, CARD = 'model.safetensors', 'README.md'
_MOST_BYTES = 2**22  # of config.json


def save_pretrained(
    model: nn.Module,
    folder: str | os.PathLike,
    config: str | os.PathLike | Config,
    description: Description | None = None,
) -> Path:
    """Write a trained classifier into a folder that :func:`from_pretrained` reads and that can be
    published as it is. A model card that is already there is kept.

    Args:
        model: The classifier, or a distiller, whose student is taken.
        folder: Is made where it is not there.
        config: Path of the config that built the model, name of a model, or a loaded config.
        description: What ``config.json`` says; None: what the config says.

    Returns:
        The folder.

    Raises:
        ExportError: Plain values cannot tell the model, as one with a :class:`WrappedModule`.
        MissingPackageError: safetensors is not installed.
    """
    folder, model = Path(folder).expanduser(), student_of(model)
    cfg = config if isinstance(config, Config) else load_config(model_config(config))
    if description is None:
        description = describe(model, cfg)
    if description.model is None:
        try:
            description.model = describe_model(student_config(cfg.model))
        except ValueError as problem:
            raise ExportError(
                f'{folder}: the config of the model cannot be kept in a file: {problem}. Export it '
                'to ONNX or torch.export'
            ) from None
    state = {k: v.detach().cpu().contiguous().clone() for k, v in model.state_dict().items()}
    parameters = sum(p.numel() for p in model.parameters())
    write_whole(folder / WEIGHTS, _safetensors().save(state, dict(format='pt')))
    values = {k: json.loads(v) for k, v in description.texts().items()}
    write_whole(folder / CONFIG, json.dumps(values, indent=2) + '\n')
    if not (folder / CARD).exists():
        write_whole(folder / CARD, model_card(description, parameters))
    return folder


def from_pretrained(folder: str | os.PathLike, device: str | torch.device = 'cpu') -> nn.Module:
    """Return the classifier of a folder that :func:`save_pretrained` wrote, in eval mode.

    No code in the folder runs: its config may name registered parts and plain values only.

    Args:
        folder: The folder, or the name of a repository, such as ``'owner/name'``, which
            huggingface_hub downloads.
        device: Where to put the model.

    Raises:
        CheckpointError: A file is missing or damaged, or its config names something else.
        MissingPackageError: safetensors, or for a repository huggingface_hub, is not installed.
    """
    model, _ = _read(folder)
    return model.to(device)


class PretrainedModel:
    """A pretrained folder as an exported model: see :func:`from_pretrained`.

    Attributes:
        description: What the folder says about itself.
    """

    def __init__(self, folder: str | os.PathLike, device: str | torch.device = 'cpu') -> None:
        model, self.description = _read(folder)
        self.deployed, self.device = Deployed(model.to(device)), device

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map inputs (B, ...) to logits (B, K) and features (B, D)."""
        logits, feature = self.deployed(inputs.to(self.device))
        return logits.cpu(), feature.cpu()


def _read(place: str | os.PathLike) -> tuple[nn.Module, Description]:
    folder = _folder_of(place)
    file = folder / CONFIG
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ValueError(f'it has {file.stat().st_size:,} bytes')
        values = json.loads(file.read_text(encoding='utf-8'))
        texts = {key: json.dumps(value) for key, value in values.items()}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f'{file} cannot be used: {first_line(error)}. Expected a folder that pcdet-kd export '
            f'wrote, with {WEIGHTS} and {CONFIG}'
        ) from None
    description = Description.read(texts, str(file))
    weights_file = folder / WEIGHTS
    try:
        weights = _safetensors().load_file(weights_file)
    except MissingPackageError:
        raise
    except Exception as error:  # safetensors' own has no common base with OSError
        raise CheckpointError(
            f'{weights_file} cannot be used: {first_line(error)}. Export or download it again'
        ) from None
    model = build_stored_model(description.model, weights, str(file))
    load_weights(model, weights, source=str(weights_file))
    model.dataset_meta = dict(classes=tuple(description.classes), up_axis=description.up_axis)
    return model.eval(), description


def _folder_of(place: str | os.PathLike) -> Path:
    folder = Path(place).expanduser()
    if folder.is_dir() or not re.fullmatch(r'[\w-][\w.-]*/[\w-][\w.-]*', os.fspath(place)):
        return folder
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise MissingPackageError(
            f"'{place}' is no folder here; to download it as a repository, install "
            'huggingface_hub: pip install huggingface_hub'
        ) from None
    try:
        return Path(snapshot_download(os.fspath(place), allow_patterns=[WEIGHTS, CONFIG, CARD]))
    except Exception as error:  # huggingface_hub and its HTTP library have many
        raise CheckpointError(
            f"'{place}' is no folder here and cannot be downloaded from Hugging Face: "
            f'{first_line(error)}. Check the name'
        ) from error


def _safetensors() -> ModuleType:
    try:
        import safetensors.torch
    except ImportError as error:
        raise MissingPackageError(
            "folders of weights need safetensors: pip install 'pcdet_kd[export]'"
        ) from error
    return safetensors.torch
