"""One run of a cell: a config with a seed, planned, trained, tested, and read back."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pcdet_kd.apis.tables.spec import Cell
from pcdet_kd.apis.test import test
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.pipeline import run_stages
from pcdet_kd.engine.shared_stages import names_in, needed_by, share_stages
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.engine.stages import Stage, plan
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.files import file_sha256, write_whole

SEED = '{seed}'  # in a table's options
Say = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What the command says of all runs.

    Attributes:
        root: Directory of the runs' directories.
        options: As ``--cfg-options``. A variable reaches the configs that have it.
        stage_options: As ``--stage-options``, for the configs that have the stage.
        teacher_seeds: Whether the stages that a config requires get its seed too.
        votes: Also test with so many votes; 0: do not.
        suite_root: Directory of a suite's files.
    """

    root: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    stage_options: Mapping[str, Any] = field(default_factory=dict)
    teacher_seeds: bool = False
    votes: int = 0
    suite_root: str | None = None
    _names: dict[Path, tuple[set[str], set[str]]] = field(default_factory=dict, compare=False)

    def names_in(self, config: Path) -> tuple[set[str], set[str]]:
        """Return the names of a config's stages and of the variables that its options may set; a
        config is read once.
        """
        if config not in self._names:
            self._names[config] = names_in(config)
        return self._names[config]


@dataclass
class Unit:
    """A cell with a seed.

    Attributes:
        cell: The cell.
        seed: Seed of the config itself.
        settings: Of the command.
    """

    cell: Cell
    seed: int
    settings: Settings

    def __str__(self) -> str:
        where = f'{self.cell.row}, {self.cell.column}'.removesuffix(', value')
        return f'{where}, seed {self.seed}'

    def options(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the options of the config and of its stages, seed included."""
        config, settings = self.cell.config, self.settings
        names, known = settings.names_in(config)
        options = {
            **self.cell.options,
            **{k: v for k, v in settings.options.items() if '.' in k or k in known},
            'randomness.seed': self.seed,
        }
        given = {k: v for k, v in settings.stage_options.items() if k.split('.', 1)[0] in names}
        seeds = {f'{name}.randomness.seed': self.seed for name in names}
        of_stages = {
            **(seeds if settings.teacher_seeds else {}),
            **self.cell.stage_options,
            **given,
        }
        return self._with_seed(options), self._with_seed(of_stages)

    def _with_seed(self, options: dict[str, Any]) -> dict[str, Any]:
        return {key: self.seed if value == SEED else value for key, value in options.items()}

    def plan(self) -> list[Stage]:
        """Return the stages to train, the cell's own last, each in a directory that equal stages
        share.
        """
        options, of_stages = self.options()
        stages = plan(self.cell.config, options, of_stages, with_baseline=self.cell.alone)
        wanted = needed_by(stages[-2]) if self.cell.alone else stages
        return share_stages(wanted, self.settings.root)

    def command(self) -> str:
        """Return the command that trains this run by itself."""
        options, of_stages = self.options()
        del options['randomness.seed']
        parts = ['pcdet-kd train', _shown(self.cell.config), f'--seed {self.seed}']
        for name, given in (('--cfg-options', options), ('--stage-options', of_stages)):
            if given:
                parts += [name, *(_quoted(k, v) for k, v in given.items())]
        return ' '.join([*parts, *['--with-baseline'] * self.cell.alone])

    def run(self, say: Say) -> Path:
        """Train and test what is not finished, and return the work directory."""
        stages = run_stages(self.plan(), say=say)
        leaf = stages[-1]
        for which in leaf.record.results:
            if self.settings.votes:
                votes = self.settings.votes
                _tested(self, leaf, which, f'voted_{votes}', dict(votes=votes))
            if self.cell.suite:
                _tested(self, leaf, which, f'suite_{self.cell.suite}', self._suite())
        return leaf.work_dir

    def _suite(self) -> dict[str, Any]:
        return dict(corruptions=self.cell.suite, corruptions_root=self.settings.suite_root)

    def results(self, work_dir: Path) -> dict[str, dict[str, float]]:
        """Return the metrics of a finished run by epoch, ``last`` and ``best``; else nothing."""
        record = StageRecord.read(work_dir)
        if record is None or not record.finished:
            return {}
        found = {which: dict(metrics) for which, metrics in record.results.items()}
        names = [f'voted_{self.settings.votes}'] * bool(self.settings.votes)
        names += [f'suite_{self.cell.suite}'] * bool(self.cell.suite)
        for which, metrics in found.items():
            for name in names:
                file = work_dir / f'{name}_{which}.json'
                if file.is_file():
                    metrics.update(json.loads(file.read_text(encoding='utf-8'))['metrics'])
        return found


def check_options(units: list[Unit]) -> None:
    """Refuse options of the command that reach no config.

    Raises:
        ConfigError: A variable, or a stage, is known to no cell.
    """
    settings = units[0].settings
    configs = {unit.cell.config for unit in units}
    found = [settings.names_in(config) for config in configs]
    stages, known = (set().union(*names) for names in zip(*found))
    for key in settings.options:
        if '.' not in key and key not in known:
            raise ConfigError('--cfg-options', [f"no variable '{key}'.{did_you_mean(key, known)}"])
    for key in settings.stage_options:
        name = key.split('.', 1)[0]
        if name not in stages:
            raise ConfigError(
                '--stage-options', [f"no stage '{name}'.{did_you_mean(name, stages)}"]
            )


def _tested(unit: Unit, leaf: Stage, which: str, name: str, how: dict[str, Any]) -> None:
    """Test the weights of an epoch in another way, unless that was done before."""
    weights = leaf.weights.with_name(leaf.weights.name.replace('last', which))
    file, digest = leaf.work_dir / f'{name}_{which}.json', file_sha256(weights)
    if file.is_file() and json.loads(file.read_text(encoding='utf-8'))['weights'] == digest:
        return
    folder = leaf.work_dir / f'{name}_{which}'
    result = test(unit.cell.config, weights, unit.options()[0], work_dir=folder, **how)
    metrics = {k: v for k, v in result.metrics.items() if k.endswith('_voted')}
    if result.report:
        metrics = {k: v['mean'] for k, v in result.report['models'][0]['scores'].items()}
    write_whole(file, json.dumps(dict(weights=digest, metrics=metrics), indent=1))


def _shown(path: Path) -> str:
    """Return a path from the current directory if it is below it."""
    path, here = Path(os.path.abspath(path)), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _quoted(key: str, value: Any) -> str:
    """Return ``key=value`` for a shell, with few quotation marks."""
    text = f'{key}={value}'
    return shlex.quote(text if '"' in text else text.replace("'", '"'))
