"""Checks of a run before anything is trained."""

import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from torch import nn

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import METRICS, OPTIMIZERS, did_you_mean
from pcdet_kd.utils.checkpoint import first_line
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.plain_values import plain_values

_LEAST_FREE = 100 * 2**20  # bytes: a checkpoint of a larger network, with its optimiser's state

# What MMEngine's back ends import when the first value is written: any one of these is enough.
_PACKAGES = {
    'TensorboardVisBackend': ('tensorboard', 'tensorboardX'),
    'WandbVisBackend': ('wandb',),
    'MLflowVisBackend': ('mlflow',),
    'ClearMLVisBackend': ('clearml',),
    'NeptuneVisBackend': ('neptune',),
    'DVCLiveVisBackend': ('dvclive',),
    'AimVisBackend': ('aim',),
}


def check_work_dir(path: str | os.PathLike) -> None:
    """Check that a directory is there or can be made, can be written to, and that its disk has
    space. Nothing is written.

    Raises:
        UserError: It is not so.
    """
    path = Path(path)
    nearest = next(p for p in (path.absolute(), *path.absolute().parents) if os.path.lexists(p))
    if not nearest.is_dir():
        found = f'{nearest} is not a directory'
    elif not os.access(nearest, os.W_OK | os.X_OK):
        found = f'{nearest} is read-only, or you have no permission to write there'
    elif (free := shutil.disk_usage(nearest).free) < _LEAST_FREE:
        found = f'its disk has {free / 2**20:.0f} MB free, and at least 100 MB are needed'
    else:
        return
    raise UserError(
        f'cannot use the work directory {path}: {found}. Change that, or choose another --work-dir'
    )


def check_run(cfg: Mapping) -> None:
    """Check quickly what a run needs before it is built: its work directory, and the names of
    metrics in ``save_best`` and ``monitor``.

    Args:
        cfg: The config.

    Raises:
        UserError: Something is missing or wrong.
    """
    check_work_dir(cfg['work_dir'])
    evaluator = cfg.get('val_evaluator')
    if isinstance(evaluator, Mapping) and 'metrics' in evaluator:
        evaluator = evaluator['metrics']
    if evaluator is not None:
        evaluator = [
            METRICS.build(metric) if isinstance(metric, Mapping) else metric
            for metric in (evaluator if isinstance(evaluator, Sequence) else [evaluator])
        ]
    best = ((cfg.get('default_hooks') or {}).get('checkpoint') or {}).get('save_best') or []
    check_metric_names(
        'default_hooks.checkpoint.save_best', [best] if isinstance(best, str) else best, evaluator
    )
    schedulers = cfg.get('param_scheduler') or []
    for scheduler in schedulers if isinstance(schedulers, Sequence) else [schedulers]:
        if isinstance(scheduler, Mapping) and 'ReduceOnPlateau' in str(scheduler.get('type')):
            monitor = scheduler.get('monitor', 'loss')
            check_metric_names('param_scheduler.monitor', [monitor], evaluator)


def check_metric_names(
    key: str, wanted: Iterable[str], metrics: Sequence[BaseMetric] | None
) -> None:
    """Check that a validation reports the metrics that a config names.

    Metrics tell what they report in ``names``; of one that does not, only the prefix is known.

    Args:
        key: Where in the config they are named.
        wanted: Their names.
        metrics: Those of the validation, None if there is none.

    Raises:
        ConfigError: One is not reported, or there is no validation.
    """
    needed = 'needs validation: set val_dataloader, val_cfg and val_evaluator, or leave it out'
    for name in wanted:
        if metrics is None:
            raise ConfigError(key, [f"'{name}' {needed}"])
        known, foreign = set(), set()
        for metric in metrics:
            prefix = getattr(metric, 'prefix', None)
            before = f'{prefix}/' if prefix else ''
            own = getattr(metric, 'names', ())
            known.update(before + each for each in own)
            foreign.update([] if own else [before])
        if name not in known and not any(name.startswith(before) for before in foreign):
            raise ConfigError(key, [unknown_metric(name, [*known, *(f'{p}…' for p in foreign)])])


def unknown_metric(name: str, known: Iterable[str]) -> str:
    """Return the message about a metric that is not reported."""
    return (
        f"'{name}' is not among the metrics.{did_you_mean(name, known)} There are: "
        f'{", ".join(sorted(known))}'
    )


def check_visualizer(visualizer: Any) -> None:
    """Check that the packages which the visualizer's back ends need are installed.

    Args:
        visualizer: Its config; a built one is taken as it is.

    Raises:
        ConfigError: A package is missing; MMEngine notices it after the first iterations.
    """
    for kind in _back_ends(visualizer):
        packages = _PACKAGES.get(kind, ())
        if packages and not any(importlib.util.find_spec(name) for name in packages):
            raise ConfigError(
                'visualizer.vis_backends',
                [
                    f'{kind} needs the package {packages[0]}: install it '
                    f'(pip install {packages[0]}), or leave {kind} out'
                ],
            )


def check_optimizer(optim_wrapper: Any) -> None:
    """Take one step of the optimiser on a parameter of its own, and look at the state that a
    checkpoint would hold.

    Args:
        optim_wrapper: Its config; one that is built already is taken as it is.

    Raises:
        ConfigError: The optimiser needs more than a step here gives (a closure, sparse gradients),
            or it can't be saved.
    """
    cfg = optim_wrapper.get('optimizer') if isinstance(optim_wrapper, Mapping) else None
    if not isinstance(cfg, Mapping):
        return
    weight = nn.Parameter(torch.ones(2, 2))
    weight.grad = torch.ones(2, 2)
    try:
        if 'ZeroRedundancyOptimizer' in str(cfg['type']):
            raise ValueError(
                'its state is spread over the processes, but one process writes the checkpoint'
            )
        probe = OPTIMIZERS.build(dict(cfg, params=[weight]))
        probe.step()
        plain_values(probe.state_dict())
    except Exception as error:
        raise ConfigError(
            'optim_wrapper.optimizer',
            [f'{cfg["type"]} cannot be used for training here: {first_line(error)}'],
        ) from error


def _back_ends(visualizer: Any) -> Iterator[str]:
    if isinstance(visualizer, Mapping):
        for backend in visualizer.get('vis_backends') or []:
            kind = backend.get('type') if isinstance(backend, Mapping) else type(backend)
            yield (kind if isinstance(kind, str) else kind.__name__).split('.')[-1]
