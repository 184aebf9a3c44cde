"""Running a table: what is finished is skipped, what fails is told at the end."""

import os
import time
import traceback
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log

from pcdet_kd.apis.tables.result import TableResult
from pcdet_kd.apis.tables.spec import TableSpec, read_table
from pcdet_kd.apis.tables.unit import Say, Settings, Unit, check_options
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.distributed import WorkDirInUse
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.errors import UserError

WORK_DIR = 'work_dirs/tables'
_WAIT = 30  # seconds, for a stage that another process trains


def run_table(
    config: str | os.PathLike,
    seeds: Sequence[int] = (0,),
    *,
    only: Sequence[str] = (),
    shard: tuple[int, int] = (1, 1),
    work_dir: str | os.PathLike = WORK_DIR,
    with_baseline: bool = False,
    dry_run: bool = False,
    say: Say = lambda text: None,
    **settings: object,
) -> TableResult:
    """Train and test all cells of a table with several seeds; called again, it goes on.

    Each stage is trained in a directory of ``work_dir/runs`` that is named by what it is, so that
    rows and tables share what is equal. A cell that fails does not stop the others.

    Args:
        config: A table's file, or any config, which is a table of one row.
        seeds: Seeds of the cells' own configs; what they require keeps its seed.
        only: Labels of rows; none for all.
        shard: (i, n): run the i-th of n parts of the work, from 1. A stage that another process
            trains at the time is waited for.
        work_dir: Where runs and tables are.
        with_baseline: Of a plain config: a row for the student alone.
        dry_run: Say what would be trained; train and write nothing.
        say: Called with lines of text.
        **settings: More of :class:`Settings`.

    Raises:
        UserError: The table, its options or its rows are not as they should be.
    """
    spec = read_table(config, with_baseline)
    setup = Settings(Path(work_dir, 'runs'), **settings)
    rows = _rows(spec, only)
    cells = [c for (row, _), c in spec.cells.items() if row in rows and c.config is not None]
    units = [Unit(cell, seed, setup) for seed in seeds for cell in cells]
    if units:
        check_options(units)
    result = TableResult(spec, units, tuple(seeds), asked=tuple(rows))
    part, parts = shard
    if not 1 <= part <= parts:
        raise ConfigError('--shard', [f'{part}/{parts}: the first number must be 1 to {parts}'])
    by_cell = sorted(range(len(units)), key=lambda i: (i % len(cells), i))  # fair parts
    mine = [units[i] for i in sorted(by_cell[part - 1 :: parts])]
    if dry_run:
        for unit in mine:
            _tell(unit, result, say)
        return result
    _run(mine, result, say)
    return result


def _rows(spec: TableSpec, only: Sequence[str]) -> set[str]:
    for label in only:
        if label not in spec.rows:
            hint = did_you_mean(label, spec.rows) or f' It has: {", ".join(spec.rows)}'
            raise ConfigError('--only', [f"no row '{label}' in {spec.source}.{hint}"])
    return set(only or spec.rows)


def _tell(unit: Unit, result: TableResult, say: Say) -> None:
    """Say which stages a unit has, and which of them are finished."""
    say(str(unit))
    try:
        stages = unit.plan()
    except UserError as error:
        result.failed[str(unit)] = str(error)
        return
    for stage in stages:
        record = StageRecord.read(stage.work_dir)
        state = 'finished' if record and record.finished else 'would train'
        say(f'  {stage.name}: {stage.config.name}, {state} in {stage.work_dir}')


def _run(units: Sequence[Unit], result: TableResult, say: Say) -> None:
    waiting, busy = deque(units), []
    count = 0
    while waiting:
        unit = waiting.popleft()
        try:
            say(f'--- {unit} ({count + 1} of {len(units)})')
            unit.run(say)
            count += 1
        except WorkDirInUse as error:
            say(f'{unit}: later: {error}')
            busy.append(unit)
        except UserError as error:
            result.failed[str(unit)] = str(error)
            say(f'{unit}: failed: {error}')
        except Exception as error:  # a bug in one cell must not cost the others
            result.failed[str(unit)] = f'{type(error).__name__}: {error}'
            print_log(f'{unit}: failed\n{traceback.format_exc()}', logger='current', level=40)
            say(f'{unit}: failed: {type(error).__name__}: {error}')
        if not waiting and busy:
            time.sleep(_WAIT)
            waiting, busy = deque(busy), []
