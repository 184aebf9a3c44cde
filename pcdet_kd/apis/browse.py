"""What the transforms of a data set do to samples."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pcdet_kd.apis.models import model_config
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.student import student_config
from pcdet_kd.visualization.stages import Browsed, Stage

SPLITS = ('train', 'val', 'test')
Arrays = dict[str, np.ndarray]


@dataclass
class _Tap:
    """A step of a pipeline that keeps a copy of what passes and changes nothing."""

    kept: list[tuple[Arrays, Arrays]]  # clouds and views

    def __call__(self, results: dict) -> dict:
        self.kept.append((_clouds(results), _views(results)))
        return results


def browse_dataset(
    config: str | os.PathLike,
    split: str = 'train',
    num: int = 8,
    seed: int = 0,
    options: dict[str, Any] | None = None,
) -> list[Browsed]:
    """Run samples through the pipeline of a config, and keep clouds and views after each transform.

    Where the model draws views of the points, these are the last stage.

    The random numbers are those of the first epoch of a training with this seed.

    Args:
        config: A config's file, or a model's name.
        split: ``'train'``, ``'val'`` or ``'test'``: whose ``dataloader`` of the config.
        num: Number of samples, spread evenly over the split.
        seed: Of the transforms.
        options: As ``--cfg-options``.

    Raises:
        ConfigError: The config has no such data, not one of this package's data sets, or arguments
            that do not fit the data.
    """
    path = model_config(config)
    cfg = load_config(path, options)
    loader = cfg.get(f'{split}_dataloader')
    if not loader:
        has = ', '.join(name for name in SPLITS if cfg.get(f'{name}_dataloader'))
        raise ConfigError(path, [f'{split}_dataloader: missing; the config has data for {has}'])
    try:
        dataset = DATASETS.build(loader.dataset)
    except UserError:
        raise
    except ValueError as error:
        raise ConfigError(path, [f'{split}_dataloader.dataset: {error}']) from error
    if not isinstance(dataset, PointCloudDataset):
        problem = f'{split}_dataloader.dataset.type: {loader.dataset.type} is no PointCloudDataset'
        raise ConfigError(path, [problem])
    kept: list[tuple[Arrays, Arrays]] = []
    drawn = _drawn_by_model(cfg.get('model') or {})
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
        inputs = dataset[int(number)].get('inputs', {})
        label = info.get('class_name', 'no label')
        title = f'{label}, {split} no. {number} ({info["sample_id"]})'
        stages = _stages(names, kept)
        if drawn and 'points' in inputs and 'views' not in inputs:
            views = MODELS.build(drawn)(inputs['points'][None])[0].numpy()
            name = f'the model: {_name(drawn["type"], drawn)}'
            stages.append(Stage(name, {}, views=dict(views=views)))
        found.append(Browsed(title, info['up_axis'], stages))
    return found


def _drawn_by_model(model: dict) -> dict | None:
    """Return the config of the views that a model (or a distiller's student) draws of points."""
    model = student_config(model) if model else {}
    places = ('data_preprocessor', 'views'), ('backbone', 'projection')
    return next(
        (found for part, key in places if (found := (model.get(part) or {}).get(key))), None
    )


def _arrays(results: dict) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a sample, packed or not, with their names."""
    for name, array in results.get('inputs', results).items():
        array = array.numpy() if isinstance(array, torch.Tensor) else array
        if isinstance(array, np.ndarray):
            yield name, array


def _views(results: dict) -> Arrays:
    """Return copies (V, C, H, W) of all views of a sample by name."""
    return {n: a.copy() for n, a in _arrays(results) if n.startswith('views') and a.ndim == 4}


def _clouds(results: dict) -> Arrays:
    """Return copies (N, 3) of all clouds of a sample by name."""
    found = {}
    for name, array in _arrays(results):
        if not ('points' in name or 'crops' in name):
            continue
        for number, cloud in enumerate(array if array.ndim == 3 else [array], 1):
            if cloud.ndim == 2 and cloud.shape[1] >= 3:
                found[f'{name} {number}' if array.ndim == 3 else name] = cloud[:, :3].copy()
    return found


def _stages(names: list[str], kept: list[tuple[Arrays, Arrays]]) -> list[Stage]:
    """Return a stage for each transform that changed the clouds or the views, with what it changed;
    the names of others are added to the one before.
    """
    stages: list[Stage] = []
    before: tuple[Arrays, Arrays] = {}, {}
    for name, after in zip(names, kept):
        clouds, views = ({} if _same(*pair) else pair[1] for pair in zip(before, after))
        if clouds or views or not stages:
            stages.append(Stage(name, clouds, views=views))
        else:
            stages[-1].unchanged.append(name)
        before = after
    return stages


def _same(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def _name(transform: Any, config: Any) -> str:
    """Return a transform with its arguments."""
    given = ', '.join(
        f'{key}={len(value)} transforms' if _is_pipeline(value) else f'{key}={value}'
        for key, value in (config.items() if isinstance(config, dict) else ())
        if key != 'type'
    )
    kind = transform if isinstance(transform, str) else type(transform).__name__
    return f'{kind}({given})'


def _is_pipeline(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(v, dict) for v in value)
