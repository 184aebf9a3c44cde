"""What a distiller's student and its teachers make of the test split."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.utils.data import DataLoader

from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Teacher
from pcdet_kd.teachers.base import Frozen
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.student import is_distiller


@dataclass
class Observed:
    """One model on n test shapes.

    Attributes:
        name: ``student``, or the teacher's name.
        scores: Probabilities, (n, K) float32; None without a classifier of the data's classes.
        layers: Features by the layer's name, first to last, (n, C) float32 each.
    """

    name: str
    scores: np.ndarray | None = None
    layers: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Run:
    """A distiller's run on its test split.

    Attributes:
        config: The config that it was trained with.
        classes: Names of the classes.
        ids: Names of the shapes.
        gt: True classes, (n,) int64.
        student: The student.
        teachers: Its teachers.
    """

    config: Config
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    gt: np.ndarray
    student: Observed
    teachers: list[Observed]


def collect(
    config: Path,
    work_dir: str | os.PathLike,
    which: str = 'last',
    batch_size: int = 32,
    num_workers: int = 0,
    device: str | torch.device = 'cpu',
) -> Run:
    """Run the student and the teachers of a distiller's run on its test split, in eval mode.

    Args:
        config: The config that was trained; the run has written down what it was with all options.
        work_dir: The run's directory.
        which: ``last``, or ``best`` on the validation split.
        batch_size, num_workers: Of the loader.
        device: Where the models are.

    Raises:
        DataError: The directory does not hold a run of this config.
        ConfigError: The config trains no distiller, or has no test split.
    """
    folder = Path(work_dir)
    file, weights = folder / config.name, folder / f'{which}.pth'
    for needed in (file, weights):
        if not needed.is_file():
            expected = f'the directory of a finished run of {config}'
            raise DataError(needed, 'no such file', expected, 'give the directory that it printed')
    cfg = Config.fromfile(file)
    if not is_distiller(cfg.model) or not cfg.get('test_dataloader'):
        problem = f'model.type: {cfg.model.type}: a distiller with a test split is needed'
        raise ConfigError(config, [problem])
    model = MODELS.build(cfg.model)
    load_weights(model, load_checkpoint_file(weights)['state_dict'], source=str(weights))
    for part in model.modules():
        if isinstance(part, Frozen) or (isinstance(part, Teacher) and not part.state_dict()):
            part.init_weights()
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    model = model.to(device).eval()
    teachers = teachers_of(model)
    parts = {name: [] for name in ('', *teachers)}
    ids, gt = [], []
    loader = DataLoader(dataset, batch_size, num_workers=num_workers, collate_fn=collate_points)
    with torch.no_grad():
        for batch in loader:
            batch = model.data_preprocessor(batch, False)
            inputs, samples = batch['inputs'], batch['data_samples']
            parts[''].append(_kept(model.student(inputs), len(samples)))
            for name, teacher in teachers.items():
                parts[name].append(_kept(teacher(inputs, samples), len(samples)))
            ids += [str(sample.get('sample_id', sample.sample_idx)) for sample in samples]
            gt += [int(sample.gt_label) for sample in samples]
    classes = tuple(dataset.metainfo['classes'])
    student, *others = (
        _observed(name or 'student', found, len(classes)) for name, found in parts.items()
    )
    return Run(cfg, classes, tuple(ids), np.array(gt, np.int64), student, others)


def teachers_of(model: nn.Module) -> dict[str, Teacher]:
    """Return a distiller's teachers by short names, those that methods share once."""
    found = {}
    for name, part in model.named_modules():  # each module once
        if isinstance(part, Teacher):
            words = [word for word in name.split('.') if word not in ('teachers', 'methods')]
            found['.'.join(words)] = part
    return found


def _kept(out: ModelOutput, size: int) -> dict[str, Tensor]:
    """Return what is compared of one batch, on the CPU: a vector per sample and layer."""
    layers = {f'stage {i}': _pooled(stage, size) for i, stage in enumerate(out.stages, 1)}
    layers['feature'] = out.feat.float()
    if out.logits is not None:
        layers['logits'] = out.logits.float()
    return {name: values.cpu() for name, values in layers.items()}


def _pooled(stage: Tensor, size: int) -> Tensor:
    """Return the mean over points, pixels and views: (B, C)."""
    stage = stage.float().flatten(2).mean(dim=2) if stage.ndim > 2 else stage.float()
    return stage.unflatten(0, (size, -1)).mean(dim=1)


def _observed(name: str, found: list[dict[str, Tensor]], classes: int) -> Observed:
    layers: dict[str, Any] = {
        layer: torch.cat([part[layer] for part in found]) for layer in found[0]
    }
    logits = layers.get('logits')
    scores = None
    if logits is not None and logits.shape[1] == classes:
        scores = logits.softmax(dim=1).numpy()
    return Observed(name, scores, {layer: values.numpy() for layer, values in layers.items()})
