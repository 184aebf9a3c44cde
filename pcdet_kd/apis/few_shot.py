"""Few-shot tasks from Python: trained one by one, or probed on frozen features."""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pcdet_kd.apis.models import model_config
from pcdet_kd.apis.probe import build_backbone, probe_data
from pcdet_kd.apis.test import short_path
from pcdet_kd.datasets.read_once import reading_once
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.config_reader import variables_of
from pcdet_kd.engine.pipeline import run_stages
from pcdet_kd.engine.stages import plan, work_dir_of
from pcdet_kd.engine.train import train
from pcdet_kd.evaluation import backbone_features, probe_features
from pcdet_kd.evaluation.feature_probe import METHODS, check_methods
from pcdet_kd.utils.student import student_config

_VARIABLES = ('way', 'shot', 'fold')


@dataclass
class FewShotResult:
    """Accuracy on few-shot tasks.

    Attributes:
        accuracy: In percent on the test clouds, by method, one value per task: of a trained model
            (``last``: after its last epoch), or of ``svm`` and ``knn`` on frozen features.
        config: The config.
        weights: File that the backbone started from; empty for random weights.
        way: Classes of a task; None: all.
        shot: Training clouds per class.
        seed: Seed of training, or of a random backbone.
    """

    accuracy: dict[str, list[float]]
    config: str
    weights: str
    way: int | None
    shot: int
    seed: int | None

    def mean(self, method: str) -> float:
        """Return the mean over the tasks."""
        return statistics.fmean(self.accuracy[method])

    def deviation(self, method: str) -> float:
        """Return the standard deviation over the tasks (of a sample: n - 1), NaN of one task."""
        values = self.accuracy[method]
        return statistics.stdev(values) if len(values) > 1 else float('nan')

    def as_dict(self) -> dict[str, Any]:
        """Return it in plain values, with mean and standard deviation."""
        figures = {
            name: dict(mean=self.mean(name), deviation=self.deviation(name) if len(v) > 1 else None)
            for name, v in self.accuracy.items()
        }
        return dict(asdict(self), summary=figures)


def few_shot(
    config: str | os.PathLike,
    load_backbone: str | os.PathLike | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    way: int | None = 5,
    shot: int = 10,
    folds: int = 10,
    work_dir: str | os.PathLike | None = None,
    seed: int | None = None,
    **settings: Any,
) -> FewShotResult:
    """Train a config on few-shot tasks, each in a directory of its own; called again after a stop,
    it resumes.

    Args:
        config: A config with variables ``way``, ``shot`` and ``fold``: its file, a model's name, or
            ``pcdet_kd::`` and the path of a shipped config.
        load_backbone: Checkpoint whose backbone each task starts from. None: what the config says;
            a stage that it requires is trained once, where it is found by other configs too.
        options: As ``--cfg-options``.
        way: Classes of a task; None: all.
        shot: Training clouds per class.
        folds: Tasks, from number 0.
        work_dir: Where to train; by default where the config is trained. Tasks have folders such as
            ``5way_10shot/fold_0`` in it.
        seed: Seed of training; the config's if None. Tasks are drawn with the data set's own.
        **settings: More arguments of :func:`pcdet_kd.engine.train.train`.

    Raises:
        UserError: What a person can put right: the config, a checkpoint, the data.
    """
    path, options = _config(config, options, way, shot)
    folder = Path(work_dir or work_dir_of(path)) / f'{way or "all"}way_{shot}shot'
    with reading_once():
        if load_backbone is None:
            load_backbone = _file_of_stage(path, options)
        found = []
        for fold in range(folds):
            result = train(
                path,
                {**options, 'fold': fold},
                work_dir=folder / f'fold_{fold}',
                load_backbone=load_backbone,
                seed=seed,
                **settings,
            )
            found.append(result.metrics['last']['accuracy'])
    weights = short_path(load_backbone) if load_backbone else ''
    return FewShotResult(dict(last=found), short_path(path), weights, way, shot, seed)


def few_shot_probe(
    config: str | os.PathLike,
    load_backbone: str | os.PathLike | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    way: int | None = 5,
    shot: int = 10,
    folds: int = 10,
    seed: int = 0,
    methods: Sequence[str] = METHODS,
    pool: Sequence[str] | None = None,
    batch_size: int = 64,
    num_workers: int = 0,
    device: str | torch.device | None = None,
) -> FewShotResult:
    """Fit a linear SVM and nearest neighbours to the frozen features of few-shot tasks: seconds
    instead of hours. Nothing is trained.

    Args:
        config, load_backbone, options, way, shot, folds: As in :func:`few_shot`.
        seed: Seed of random weights.
        methods, pool, batch_size, num_workers, device: As in :func:`~pcdet_kd.apis.probe.probe`.

    Raises:
        UserError: As :func:`few_shot`.
    """
    check_methods(methods)
    path, options = _config(config, options, way, shot)
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    found = {method: [] for method in methods}
    backbone = None
    with reading_once():
        for fold in range(folds):
            cfg = plan(path, {**options, 'fold': fold}, load_backbone=load_backbone)[-1].resolved()
            backbone = backbone or build_backbone(cfg, seed).to(device)
            train_part, test_part = (
                backbone_features(backbone, dataset, batch_size, pool, num_workers)
                for dataset in probe_data(cfg)
            )
            for method, value in probe_features(train_part, test_part, methods).items():
                found[method].append(value)
    start = backbone.init_cfg if isinstance(backbone.init_cfg, dict) else {}
    weights = short_path(start['checkpoint']) if start.get('checkpoint') else ''
    return FewShotResult(found, short_path(path), weights, way, shot, seed)


def _config(
    config: str | os.PathLike, options: Mapping[str, Any] | None, way: int | None, shot: int
) -> tuple[Path, dict[str, Any]]:
    """Return a config's path, and the options with the size of the tasks."""
    path = model_config(config)
    load_config(path)  # its mistakes are told first
    missing = [name for name in _VARIABLES if name not in variables_of(path)]
    if missing:
        raise ConfigError(
            path,
            [
                f"{name}: not a variable of the config; a few-shot config sets 'way', 'shot' and "
                "'fold', as configs/asymdsd/few_shot_modelnet40.py does"
                for name in missing
            ],
        )
    return path, {**(options or {}), 'way': way, 'shot': shot}


def _file_of_stage(path: Path, options: dict[str, Any]) -> str | None:
    """Train what a config requires, and return the file that its backbone starts from."""
    *required, leaf = plan(path, options)
    if not required:
        return None
    run_stages(required)
    start = student_config(leaf.resolved().model).backbone.get('init_cfg') or {}
    return start.get('checkpoint')
