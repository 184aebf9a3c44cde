"""Stages: one command trains a config and all that it requires, reusing what is finished and
resuming what is not.
"""

import copy
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.model import is_model_wrapper

from pcdet_kd.engine.config import load_config, variables_of
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.stage_record import StageRecord, flat_config
from pcdet_kd.registry import DATASETS, DISTILLERS, MODELS, RUNNERS, TEACHERS, did_you_mean
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights
from pcdet_kd.utils.errors import DataError, UserError
from pcdet_kd.utils.files import file_sha256
from pcdet_kd.utils.resume import find_resume

STAGE_PREFIX = 'stage:'


class StaleStageError(UserError, RuntimeError):
    """A stage's work directory holds a run of another config or of other data."""


@dataclass
class Stage:
    """One training run of a pipeline.

    Attributes:
        name: What the leaf's ``requires`` calls it; the leaf and its baseline have their file's
            name.
        config: The file.
        cfg: What will be trained.
        work_dir: Where it is trained.
        requires: Earlier stages by name.
        data: Fingerprint of the training data, once it was read.
        record: What is known of the run, after :func:`run_stage`.
        reused: Whether a finished run was found.
    """

    name: str
    config: Path
    cfg: Config
    work_dir: Path
    requires: dict[str, 'Stage'] = field(default_factory=dict)
    data: str = ''
    record: StageRecord | None = None
    reused: bool = False

    @property
    def weights(self) -> Path:
        """The file of the trained weights; a distiller's are its student's."""
        return self.work_dir / ('student_last.pth' if is_distiller(self.cfg) else 'last.pth')


def is_distiller(cfg: Config) -> bool:
    """Whether the config's model is a distiller."""
    kind = cfg.model.type
    return (MODELS.get(kind) if isinstance(kind, str) else kind) in DISTILLERS.module_dict.values()


def plan(
    config: str | Path,
    options: dict[str, Any] | None = None,
    stage_options: dict[str, Any] | None = None,
    work_dir: str | Path | None = None,
    with_baseline: bool = False,
) -> list[Stage]:
    """Return the stages of a config in the order of training, the config itself last.

    Args:
        config: The leaf's file.
        options: Values by dotted path for the leaf. The leaf's own variables (such as
            ``data_root``) go to every stage that has a variable of this name.
        stage_options: Values by ``STAGE.dotted.path``.
        work_dir: The leaf's directory; the stages are then trained in ``work_dir/stages``. By
            default each config is trained in its ``work_dir``, or in ``work_dirs/<its file's
            name>``, where other leaves find it too.
        with_baseline: Train the distiller's student alone as well, with the same schedule.
    """
    options, stage_options = options or {}, dict(stage_options or {})
    stages: dict[Path, Stage] = {}

    def visit(path: Path, name: str, parents: tuple[Path, ...]) -> Stage:
        key = Path(os.path.normpath(path.absolute()))
        if key in parents:
            raise ConfigError(
                path,
                [
                    'requires: the stages go in a circle: '
                    f'{" -> ".join(p.name for p in (*parents, key))}'
                ],
            )
        if key in stages:
            return stages[key]
        own = {
            k.split('.', 1)[1]: stage_options.pop(k)
            for k in list(stage_options)
            if k.split('.', 1)[0] == name
        }
        passed = (
            options
            if not parents
            else {k: v for k, v in options.items() if path.is_file() and k in variables_of(path)}
        )
        cfg = load_config(path, {**passed, **own})
        folder = Path(cfg.get('work_dir') or Path('work_dirs') / path.stem)
        if work_dir is not None:
            folder = Path(work_dir) if not parents else Path(work_dir) / 'stages' / path.stem
        cfg.work_dir = str(folder)
        stage = Stage(name, path, cfg, folder)
        for required, file in (cfg.get('requires') or {}).items():
            stage.requires[required] = visit(path.parent / file, required, (*parents, key))
        for where, wanted in _placeholders(cfg):
            if wanted not in stage.requires:
                raise ConfigError(
                    path,
                    [
                        f"{where}: '{STAGE_PREFIX}{wanted}' is not in requires."
                        f'{did_you_mean(wanted, stage.requires)}'
                    ],
                )
        problems = _misfits(cfg, stage)
        if problems:
            raise ConfigError(path, problems)
        stages[key] = stage
        return stage

    leaf_path = Path(config)
    leaf = visit(leaf_path, leaf_path.stem, ())
    if stage_options:
        unknown = next(iter(stage_options)).split('.')[0]
        raise ConfigError(
            '--stage-options',
            [f"no stage '{unknown}'.{did_you_mean(unknown, [s.name for s in stages.values()])}"],
        )
    ordered = list(stages.values())
    if with_baseline:
        ordered.insert(-1, baseline_of(leaf, inside=work_dir is not None))
    return ordered


def baseline_of(leaf: Stage, inside: bool = False) -> Stage:
    """Return a stage that trains a distiller's student alone, with the distiller's data, schedule
    and seed.

    Args:
        leaf: The distiller's stage.
        inside: Train in ``stages`` of the leaf's directory instead of beside it.
    """
    if not is_distiller(leaf.cfg):
        raise ConfigError(
            leaf.config,
            [f'model.type: {leaf.cfg.model.type} is not a distiller, it has no baseline'],
        )
    cfg = copy.deepcopy(leaf.cfg)
    cfg.model = cfg.model.student
    cfg.pop('requires', None)
    name = f'{leaf.name}_baseline'
    work_dir = (
        leaf.work_dir / 'stages' / name
        if inside
        else leaf.work_dir.with_name(f'{leaf.work_dir.name}_baseline')
    )
    cfg.work_dir = str(work_dir)
    return Stage(name, leaf.config, cfg, work_dir)


def run_stages(
    stages: list[Stage],
    retrain: set[str] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Stage]:
    """Train the stages that are not finished, in order.

    Args:
        stages: As :func:`plan` returns them.
        retrain: Names of stages to train from scratch; what is there is moved aside.
        say: Called with a line of text per stage.

    Raises:
        StaleStageError: A work directory holds a run of another config or other data.
    """
    retrain = retrain or set()
    names = {s.name for s in stages}
    if retrain - names - {'all'}:
        unknown = sorted(retrain - names - {'all'})[0]
        raise ConfigError('--retrain', [f"no stage '{unknown}'.{did_you_mean(unknown, names)}"])
    for stage in (
        stages
    ):  # a model that cannot be built, or data that is not there, is known before hours are spent
        try:
            MODELS.build(stage.cfg.model)
            stage.data = _data_fingerprint(stage.cfg)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise ConfigError(stage.config, [str(error)]) from error
    for number, stage in enumerate(stages, 1):
        if retrain & {stage.name, 'all'} and stage.work_dir.exists() and is_main_process():
            aside = stage.work_dir.with_name(
                f'{stage.work_dir.name}.{time.strftime("%Y%m%d_%H%M%S")}'
            )
            stage.work_dir.rename(aside)
            say(f'{stage.name}: moved {stage.work_dir} to {aside}')
        barrier()
        run_stage(stage, f'[{number}/{len(stages)}] {stage.name}', say)
    return stages


def run_stage(stage: Stage, title: str, say: Callable[[str], None]) -> None:
    """Train one stage, or find that it is finished. Its ``record`` is set afterwards."""
    cfg = with_weights(stage)
    wanted = StageRecord(flat_config(cfg), data=stage.data)
    found = StageRecord.read(stage.work_dir)
    resume = find_resume(stage.work_dir) if stage.work_dir.is_dir() else None
    if found is not None and (found.finished or resume):
        changed = found.differences(wanted)
        if changed:
            raise StaleStageError(
                f"{stage.work_dir} holds a run of '{stage.name}' with another config or other "
                'data:\n  '
                + '\n  '.join(changed)
                + f'\nTrain it again with --retrain {stage.name} (what is there is moved aside), '
                'or choose another --work-dir'
            )
        if found.finished:
            weights = stage.work_dir / found.weights
            if not weights.is_file() or file_sha256(weights) != found.weights_sha256:
                raise StaleStageError(
                    f"{weights} is not the file that '{stage.name}' finished with (missing or "
                    'changed). '
                    f'Train it again with --retrain {stage.name}'
                )
            stage.record, stage.reused = found, True
            say(f'{title}: finished before, reused ({weights})')
            return
    if resume and found is None:
        raise StaleStageError(
            f'{stage.work_dir} holds checkpoints without a record of what was trained. Move it '
            'away, or choose another --work-dir'
        )
    say(f'{title}: {f"resumes from {resume}" if resume else "trains"} in {stage.work_dir}')
    barrier()
    if is_main_process():
        wanted.write(stage.work_dir)
        _build_banks(cfg)
    barrier()
    if resume and cfg.get('resume'):
        cfg.load_from = None  # --resume FILE began this run, which has gone on since
    cfg.resume = bool(cfg.get('resume')) or resume is not None
    runner = RUNNERS.build(cfg)
    runner.train()
    wanted.results = test_last_and_best(runner)
    wanted.weights, wanted.finished = stage.weights.name, True
    barrier()
    wanted.weights_sha256 = file_sha256(stage.weights)
    if is_main_process():
        wanted.write(stage.work_dir)
    stage.record = wanted


def test_last_and_best(runner: Any) -> dict[str, dict[str, Any]]:
    """Return test metrics of the last epoch and, if a validation metric chose one, of the best
    epoch.
    """
    if runner._test_dataloader is None:
        return {}
    results: dict[str, dict[str, Any]] = {'last': runner.test()}
    last, best = (Path(runner.work_dir) / f'{which}.pth' for which in ('last', 'best'))
    if best.is_file():
        if last.is_file() and os.path.samefile(last, best):
            results['best'] = results['last']
        else:
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            load_weights(model, load_checkpoint_file(best)['state_dict'])
            results['best'] = runner.test()
    return {which: {k: float(v) for k, v in metrics.items()} for which, metrics in results.items()}


def _nodes(node: Any, path: str = '') -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield (path, container, key, value) of everything in a config."""
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in list(items):
        here = f'{path}.{key}' if path else str(key)
        yield here, node, key, value
        yield from _nodes(value, here)


def _placeholders(cfg: Config) -> list[tuple[str, str]]:
    """Return (path, stage) of every ``'stage:NAME'`` in the model."""
    return [
        (f'model.{path}', value.removeprefix(STAGE_PREFIX))
        for path, _, _, value in _nodes(cfg.get('model') or {})
        if isinstance(value, str) and value.startswith(STAGE_PREFIX)
    ]


def _misfits(cfg: Config, stage: Stage) -> list[str]:
    """Return where a frozen model is described otherwise than the stage that its weights come from
    trains it.
    """
    problems: list[str] = []

    def compare(ours: Any, theirs: Any, path: str, name: str) -> None:
        if isinstance(ours, dict) and isinstance(theirs, dict):
            for key, value in ours.items():
                compare(value, theirs.get(key, 'not set'), f'{path}.{key}', name)
        elif ours != theirs:
            problems.append(f"{path}: {ours!r}, but the stage '{name}' trains {theirs!r}")

    for path, _, _, node in _nodes(dict(model=cfg.get('model') or {})):
        checkpoint = node.get('checkpoint') if isinstance(node, dict) else None
        if (
            isinstance(checkpoint, str)
            and checkpoint.startswith(STAGE_PREFIX)
            and isinstance(node.get('model'), dict)
        ):
            name = checkpoint.removeprefix(STAGE_PREFIX)
            trained = stage.requires[name].cfg
            compare(
                node['model'],
                trained.model.student if is_distiller(trained) else trained.model,
                f'{path}.model',
                name,
            )
    return problems


def with_weights(stage: Stage) -> Config:
    """Return the stage's config with the files of earlier stages in place of ``'stage:NAME'``."""
    cfg = copy.deepcopy(stage.cfg)
    for _, container, key, value in _nodes(cfg.model):
        if isinstance(value, str) and value.startswith(STAGE_PREFIX):
            container[key] = str(stage.requires[value.removeprefix(STAGE_PREFIX)].weights)
    return cfg


def _data_fingerprint(cfg: Config) -> str:
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    return dataset.fingerprint() if hasattr(dataset, 'fingerprint') else ''


def _build_banks(cfg: Config) -> None:
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    for bank in feature_banks(cfg):
        bank.build(device)


def feature_banks(cfg: Config) -> list[Any]:
    """Build the feature banks that a config's model looks up (unfilled)."""
    return [
        TEACHERS.build(value)
        for _, _, _, value in _nodes(dict(model=cfg.model))
        if isinstance(value, dict) and value.get('type') == 'FeatureBank'
    ]
