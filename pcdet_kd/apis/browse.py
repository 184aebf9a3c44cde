"""What the transforms of a data set do to samples."""

import copy
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pcdet_kd.apis.models import model_config
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import DATASETS
from pcdet_kd.visualization.stages import Browsed, Stage

SPLITS = ('train', 'val', 'test')


@dataclass
class _Tap:
    """A step of a pipeline that keeps a copy of what passes and changes nothing."""

    kept: list[dict[str, np.ndarray]]

    def __call__(self, results: dict) -> dict:
        self.kept.append(_clouds(results))
        return results


def browse_dataset(
    config: str | os.PathLike,
    split: str = 'train',
    num: int = 8,
    seed: int = 0,
    options: dict[str, Any] | None = None,
) -> list[Browsed]:
    """Run samples through the pipeline of a config, and keep the clouds after each transform.

    The random numbers are those of the first epoch of a training with this seed.

    Args:
        config: A config's file, or a model's name.
        split: ``'train'``, ``'val'`` or ``'test'``: whose ``dataloader`` of the config.
        num: Number of samples, spread evenly over the split.
        seed: Of the transforms.
        options: As ``--cfg-options``.

    Raises:
        ConfigError: The config has no such data, or not one of this package's data sets.
    """
    path = model_config(config)
    cfg = load_config(path, options)
    loader = cfg.get(f'{split}_dataloader')
    if not loader:
        has = ', '.join(name for name in SPLITS if cfg.get(f'{name}_dataloader'))
        raise ConfigError(path, [f'{split}_dataloader: missing; the config has data for {has}'])
    dataset = DATASETS.build(loader.dataset)
    if not isinstance(dataset, PointCloudDataset):
        problem = f'{split}_dataloader.dataset.type: {loader.dataset.type} is no PointCloudDataset'
        raise ConfigError(path, [problem])
    kept: list[dict[str, np.ndarray]] = []
    transforms = dataset.pipeline.transforms
    taps = [_Tap(kept)]
    for transform in transforms:
        taps += [transform, _Tap(kept)]
    dataset.pipeline.transforms = taps
    dataset.set_epoch(0, seed)
    names = ['as in the files', *map(_name, transforms, loader.dataset.get('pipeline') or [])]
    found = []
    for number in np.unique(np.linspace(0, len(dataset) - 1, num).round().astype(int)):
        kept.clear()
        info = dataset.get_data_info(int(number))
        dataset[int(number)]
        label = info.get('class_name', 'no label')
        title = f'{label}, {split} no. {number} ({info["sample_id"]})'
        found.append(Browsed(title, info['up_axis'], _stages(names, kept)))
    return found


def _clouds(results: dict) -> dict[str, np.ndarray]:
    """Return copies (N, 3) of all clouds of a sample, packed or not, by name."""
    found = {}
    for name, array in results.get('inputs', results).items():
        array = array.numpy() if isinstance(array, torch.Tensor) else array
        if not isinstance(array, np.ndarray) or not ('points' in name or 'crops' in name):
            continue
        for number, cloud in enumerate(array if array.ndim == 3 else [array], 1):
            if cloud.ndim == 2 and cloud.shape[1] >= 3:
                found[f'{name} {number}' if array.ndim == 3 else name] = cloud[:, :3].copy()
    return found


def _stages(names: list[str], kept: list[dict[str, np.ndarray]]) -> list[Stage]:
    """Return a stage for each transform that changed the clouds; the names of others are added to
    the one before.
    """
    stages: list[Stage] = []
    for name, clouds in zip(names, kept):
        if stages and _same(stages[-1].clouds, clouds):
            stages[-1].unchanged.append(name)
        else:
            stages.append(Stage(name, copy.copy(clouds)))
    return stages


def _same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def _name(transform: Any, config: Any) -> str:
    """Return a transform with its arguments."""
    given = ', '.join(
        f'{key}={len(value)} transforms' if _is_pipeline(value) else f'{key}={value}'
        for key, value in (config.items() if isinstance(config, dict) else ())
        if key != 'type'
    )
    return f'{type(transform).__name__}({given})'


def _is_pipeline(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(v, dict) for v in value)
