"""Stages: the training runs that a config requires, and their work directories."""

import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from pcdet_kd.datasets.manifest import verify
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.config_classes import check_num_classes
from pcdet_kd.engine.config_reader import read_config, variables_of
from pcdet_kd.engine.pretrained import start_backbone, starts_backbone, without_start
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.models.pretrained_backbone import STAGE_PREFIX
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.student import is_distiller, student_config, student_hooks

_ONLY_FOR_TRAINING = ('teacher', 'loss')  # of a generator, which decodes without them


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
        record: What is known of the run, after :func:`~pcdet_kd.engine.pipeline.run_stages`.
        reused: Whether a finished run was found.
    """

    name: str
    config: Path
    cfg: Config
    work_dir: Path
    requires: dict[str, 'Stage'] = field(default_factory=dict)
    record: StageRecord | None = None
    reused: bool = False

    @property
    def weights(self) -> Path:
        """The file of the trained weights; a distiller's are its student's."""
        return self.work_dir / ('student_last.pth' if is_distiller(self.cfg.model) else 'last.pth')

    def resolved(self, only_reused: bool = False) -> Config:
        """Return the config with the files of earlier stages in place of ``'stage:NAME'``.

        Args:
            only_reused: Leave the names of stages that were not found finished.
        """
        cfg = copy.deepcopy(self.cfg)
        for _, node, key, name in placeholders(cfg):
            if self.requires[name].reused or not only_reused:
                node[key] = str(self.requires[name].file_for(node))
        return cfg

    def file_for(self, reader: Any) -> Path:
        """Return the file of this stage for what the config of a later one reads it with.

        A backbone starts from the whole checkpoint, which has an EMA teacher too; all else takes
        the weights of the student.
        """
        return self.work_dir / 'last.pth' if starts_backbone(reader) else self.weights


def work_dir_of(config: str | Path) -> Path:
    """Return where a config is trained unless it or the command says otherwise.

    That is its own path below its folder ``configs``, without ``.py``, in ``work_dirs``:
    ``configs/kd/a.py`` is trained in ``work_dirs/kd/a``. Of other files, the name counts.
    """
    path = Path(os.path.abspath(config)).with_suffix('')
    above = [i for i, part in enumerate(path.parts[:-1]) if part == 'configs']
    return (
        Path('work_dirs', *path.parts[above[-1] + 1 :]) if above else Path('work_dirs', path.name)
    )


def plan(
    config: str | Path,
    options: dict[str, Any] | None = None,
    stage_options: dict[str, Any] | None = None,
    work_dir: str | Path | None = None,
    with_baseline: bool = False,
    load_backbone: str | Path | None = None,
) -> list[Stage]:
    """Return the stages of a config in the order of training, the config itself last.

    A frozen model whose ``checkpoint`` is ``'stage:NAME'`` gets the config of the model that this
    stage trains (of a distiller's student).

    Args:
        config: The leaf's file.
        options: Values by dotted path for the leaf, and of variables (such as ``data_root``) for
            every config among the stages that has a variable of this name, but for those that the
            leaf lists in ``own_variables``.
        stage_options: Values by ``STAGE.dotted.path``.
        work_dir: The leaf's directory; the stages are then trained in ``work_dir/stages``. By
            default each config is trained in the ``work_dir`` that its own file sets, or as
            :func:`work_dir_of` says, where other leaves find it too.
        with_baseline: Train the distiller's student alone as well, with the same schedule.
        load_backbone: File of a trained backbone that the leaf starts from, instead of what its
            config says; a stage that was required only for that is left out.

    Raises:
        ConfigError: A config has mistakes, requires itself, or refers to a stage that it does not
            require.
    """
    options, stage_options = options or {}, dict(stage_options or {})
    stages = {}
    own: set[str] = set()  # variables of the leaf that are not for its stages

    def visit(path: Path, name: str, parents: tuple[Path, ...]) -> Stage:
        key = Path(os.path.abspath(path))
        if key in parents:
            way = ' -> '.join(p.name for p in (*parents, key))
            raise ConfigError(path, [f'requires: the config requires itself: {way}'])
        if key in stages:
            return stages[key]
        known = variables_of(path) if path.is_file() else ()
        if parents:
            passed = {k: v for k, v in options.items() if k in known - own}
        else:
            names = [key for key in options.keys() - known if '.' not in key]
            of_stages = _variables_of_stages(path) if names else ()
            passed = {k: v for k, v in options.items() if k in known or k not in of_stages}
        for option in [k for k in stage_options if k.split('.', 1)[0] == name]:
            passed = {**passed, option.split('.', 1)[1]: stage_options.pop(option)}
        cfg = load_config(path, passed)
        own.update(() if parents else cfg.get('own_variables', ()))
        if work_dir is not None:
            folder = Path(work_dir, 'stages', path.stem) if parents else Path(work_dir)
        else:
            folder = Path(cfg.get('work_dir') or work_dir_of(path))
        cfg.work_dir = str(folder)
        if load_backbone is not None and not parents:
            _start_from(cfg, load_backbone, path)
        stage = Stage(name, path, cfg, folder)
        for required, file in (cfg.get('requires') or {}).items():
            stage.requires[required] = visit(Path(file), required, (*parents, key))
        _fill_frozen_models(stage)
        if 'head' in cfg.model and not is_distiller(cfg.model):
            _draw_labelled_only(cfg)
        check_num_classes(cfg, path)
        stages[key] = stage
        return stage

    leaf_path = Path(config)
    leaf = visit(leaf_path, leaf_path.stem, ())
    ordered = list(stages.values())
    for option in stage_options:
        known = [stage.name for stage in ordered]
        name = option.split('.')[0]
        raise ConfigError('--stage-options', [f"no stage '{name}'.{did_you_mean(name, known)}"])
    if with_baseline:
        ordered.insert(-1, baseline_of(leaf, inside=work_dir is not None))
    return ordered


def _variables_of_stages(path: Path) -> set[str]:
    """Return the variables of a config and of all that it requires."""
    found = set()
    waiting, seen = [path], set()
    while waiting:
        file = waiting.pop()
        if file not in seen and file.is_file():
            seen.add(file)
            found |= variables_of(file)
            waiting += map(Path, (read_config(file).get('requires') or {}).values())
    return found


def baseline_of(leaf: Stage, inside: bool = False) -> Stage:
    """Return a stage that trains a distiller's student alone, with the distiller's data, schedule
    and seed.

    Args:
        leaf: The distiller's stage.
        inside: Train in ``stages`` of the leaf's directory instead of beside it.
    """
    if not is_distiller(leaf.cfg.model):
        problem = f'model.type: {leaf.cfg.model.type} is not a distiller, it has no baseline'
        raise ConfigError(leaf.config, [problem])
    cfg = copy.deepcopy(leaf.cfg)
    cfg.model = student_config(cfg.model)
    cfg.custom_hooks = student_hooks(cfg.get('custom_hooks') or ())
    _draw_labelled_only(cfg)
    cfg.pop('requires', None)
    requires = {name: leaf.requires[name] for _, _, _, name in placeholders(cfg)}
    folder = leaf.work_dir / 'stages' if inside else leaf.work_dir.parent
    work_dir = folder / f'{leaf.name if inside else leaf.work_dir.name}_baseline'
    cfg.work_dir = str(work_dir)
    return Stage(f'{leaf.name}_baseline', leaf.config, cfg, work_dir, requires)


def _draw_labelled_only(cfg: Config) -> None:
    """Let a classifier without a teacher see no clouds without a label: they teach it nothing. The
    steps stay as many.
    """
    sampler = (cfg.get('train_dataloader') or {}).get('sampler') or {}
    if sampler.get('type') == 'LabelledShareSampler':
        sampler.share = 1.0


def nodes(node: Any, path: str = '') -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield (path, container, key, value) of everything in a config, from the outside inwards."""
    if isinstance(node, (dict, list)):
        for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
            here = f'{path}.{key}' if path else str(key)
            yield here, node, key, value
            yield from nodes(value, here)


def verify_files(cfgs: list[Config]) -> None:
    """Compare the files of all data sets of some configs with the hashes of the first time.

    Raises:
        DataError: A file is missing or has another hash.
    """
    # feature banks and probes have data too
    keys = ('train_dataloader', 'val_dataloader', 'test_dataloader', 'model', 'custom_hooks')
    found = (node for cfg in cfgs for key in keys for node in nodes(cfg.get(key) or {}))
    for root in sorted({value for _, _, key, value in found if key == 'data_root' and value}):
        verify(root)


def placeholders(cfg: Config) -> list[tuple[str, Any, Any, str]]:
    """Return (path, container, key, stage) of every ``'stage:NAME'`` in the model."""
    return [
        (path, node, key, value.removeprefix(STAGE_PREFIX))
        for path, node, key, value in nodes(cfg.get('model') or {}, 'model')
        if isinstance(value, str) and value.startswith(STAGE_PREFIX)
    ]


def _start_from(cfg: Config, file: str | Path, source: Path) -> None:
    """Let a config's backbone start from a file, and take out the stage that it came from."""
    before = {name for _, _, _, name in placeholders(cfg)}
    start_backbone(cfg, file, source)
    for name in before - {name for _, _, _, name in placeholders(cfg)}:
        (cfg.get('requires') or {}).pop(name, None)


def _fill_frozen_models(stage: Stage) -> None:
    """Give each frozen model the config of the stage that its weights come from."""
    problems = []
    for path, node, key, name in placeholders(stage.cfg):
        if name not in stage.requires:
            hint = did_you_mean(name, stage.requires)
            problems.append(f"{path}: '{STAGE_PREFIX}{name}' is not in requires.{hint}")
        elif key == 'checkpoint' and 'model' in node:
            where = path.removesuffix(key) + 'model'
            problems.append(f"{where}: leave it out: the stage '{name}' says which model it trains")
        elif key == 'checkpoint' and not starts_backbone(node):
            trained = without_start(student_config(stage.requires[name].cfg.model))
            node['model'] = copy.deepcopy(
                {k: v for k, v in trained.items() if k not in _ONLY_FOR_TRAINING}
            )
    if problems:
        raise ConfigError(stage.config, problems)
