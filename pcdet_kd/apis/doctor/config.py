"""Whether a config can be trained, and what it will take."""

import os
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from pcdet_kd.apis.doctor.dry_step import dry_step
from pcdet_kd.apis.doctor.report import Report
from pcdet_kd.apis.doctor.text import span
from pcdet_kd.apis.models import model_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.engine.pipeline import run_stages
from pcdet_kd.engine.stages import Stage, nodes, plan
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.student import student_config, student_of


def check_config(
    config: str | os.PathLike,
    options: dict[str, Any] | None = None,
    work_dir: str | os.PathLike | None = None,
) -> Report:
    """Check a config as ``train --dry-run`` does, with all stages that it requires, and measure a
    few training steps of each.

    Args:
        config: The config's file, or the name of a model.
        options: As ``--cfg-options``.
        work_dir: As of training: where finished stages are looked for.

    Returns:
        Per stage its model, data, schedule, memory and time; mistakes as findings.
    """
    report = Report(f'Config {config}', next=_train_command(config, options, work_dir))
    try:
        stages = plan(model_config(config), options, work_dir=work_dir)
    except (UserError, FileNotFoundError) as error:
        add_problems(error, config, report)
        return report
    leaf = stages[-1].cfg
    keys = sum(1 for _ in nodes(dict(leaf._cfg_dict)))
    report.sections['Keys'] = dict(config=str(stages[-1].config), checked=f'{keys:,}, all known')
    facts = {stage.name: _planned(stage) for stage in stages}
    report.sections['Stages'] = dict(stages=facts)
    report.sections['Work directories'] = [
        {'stage': stage.name, 'work directory': str(stage.work_dir)} for stage in stages
    ]

    def look(stage: Stage, runner: Any) -> None:
        facts[stage.name] |= _built(stage, runner) | dry_step(runner)

    try:
        run_stages(stages, dry_run=True, look=look)
    except (UserError, OSError, ValueError) as error:
        add_problems(error, config, report)
    for stage in stages:
        if stage.reused:
            facts[stage.name]['state'] = 'finished, is reused'
        elif 'run_s' in facts[stage.name]:
            facts[stage.name]['state'] = 'can be trained'
        else:
            facts[stage.name]['parameters'] = _parameters_of_config(stage)
    times = [found['run_s'] for found in facts.values() if 'run_s' in found]
    if len(times) == len([stage for stage in stages if not stage.reused]) and times:
        report.sections['Stages']['all_stages_without_validation_s'] = sum(times)
    return report


def _train_command(
    config: str | os.PathLike, options: dict[str, Any] | None, work_dir: str | os.PathLike | None
) -> str:
    words = ['pcdet-kd', 'train', str(config)]
    if work_dir is not None:
        words += ['--work-dir', str(work_dir)]
    if options:
        words += ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]
    return shlex.join(words)


def add_problems(error: Exception, about: object, report: Report) -> None:
    """Add an error to a report, each problem of a :class:`ConfigError` as a finding of its own."""
    if isinstance(error, ConfigError):
        source, problems = error.args
        for problem in problems:
            report.add('broken', source, problem)
    else:
        report.add_error(error, about)


def _planned(stage: Stage) -> dict[str, Any]:
    """Return what a stage's config says."""
    cfg = stage.cfg
    loader = cfg.get('train_dataloader') or {}
    loop = cfg.get('train_cfg') or {}
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer') or {}
    student = student_config(cfg.model)
    backbone = student.get('backbone')
    return dict(
        state='not checked',
        trains=_name(cfg.model),
        student=_name(backbone) if isinstance(backbone, Mapping) else _name(student),
        epochs=loop.get('max_epochs'),
        batch_size=loader.get('batch_size'),
        optimizer=f'{_name(optimizer)}, lr {optimizer.get("lr")}' if optimizer else None,
    )


def _built(stage: Stage, runner: Any) -> dict[str, Any]:
    """Return what a stage's model and data are."""
    loader, model = runner.train_dataloader, runner.model
    facts: dict[str, Any] = dict(
        parameters=_count(student_of(model)),
        trained_parameters=_count(model, trained=True),
        clouds=len(loader.dataset),
    )
    leaves = list(leaf_datasets(loader.dataset))
    if hasattr(leaves[0], 'labelled'):
        labels = [
            [info['gt_label'] for info in leaf.data_list if 'gt_label' in info] for leaf in leaves
        ]
        counts = np.bincount(np.concatenate(labels).astype(int)) if any(labels) else np.array([])
        facts['with_a_label'] = int(counts.sum())
        counts = counts[counts > 0]
        facts['classes'] = len(counts)
        if len(counts):
            facts['clouds_per_class'] = span(counts.tolist())
    return facts


def _count(model: nn.Module, trained: bool = False) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trained)


def _parameters_of_config(stage: Stage) -> int | None:
    """Return the parameters of a stage's student where it could not be trained; None if it cannot
    be built either.
    """
    try:
        with torch.device('meta'):
            return _count(MODELS.build(student_config(stage.cfg.model)))
    except Exception:  # a finding says already what is wrong with the stage
        return None


def _name(cfg: Mapping[str, Any]) -> str:
    kind = cfg.get('type', '')
    return kind if isinstance(kind, str) else kind.__name__
