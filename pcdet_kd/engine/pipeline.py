"""One command trains a config and all that it requires: it reuses finished stages and resumes
stopped ones.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process

from pcdet_kd.datasets.read_once import Files, noting_files, reading_once, unchanged
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.distributed import WorkDirLock, on_main
from pcdet_kd.engine.extend import epochs_before
from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.engine.preflight import check_run
from pcdet_kd.engine.rehearsal import rehearse
from pcdet_kd.engine.stage_record import StageRecord, flat_config
from pcdet_kd.engine.stages import Stage, nodes
from pcdet_kd.evaluation.accuracy import PointAccuracy
from pcdet_kd.evaluation.predictions import predictions_file
from pcdet_kd.registry import DATASETS, RUNNERS, TEACHERS, did_you_mean
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.files import file_sha256, link_or_copy, write_whole
from pcdet_kd.utils.resume import find_resume
from pcdet_kd.utils.student import unwrapped


class StaleStageError(UserError, RuntimeError):
    """A stage's work directory holds a run of another config or of other data."""


def run_stages(
    stages: list[Stage],
    retrain: set[str] | None = None,
    say: Callable[[str], None] = lambda text: None,
    dry_run: bool = False,
    look: Callable[[Stage, Any], None] | None = None,
    extend: set[str] | None = None,
) -> list[Stage]:
    """Train the stages that are not finished, in order.

    Before the first one trains, every one of them is checked with a tiny batch of its own data:
    see :func:`~pcdet_kd.engine.rehearsal.rehearse`. Finished stages are neither built nor read.

    Args:
        stages: As :func:`~pcdet_kd.engine.stages.plan` returns them.
        retrain: Names of stages to train from scratch, or ``'all'``; what is there is moved aside.
        say: Called with a line of text per stage.
        dry_run: Only look and check; nothing is written.
        look: Called with each stage that is checked, and its Runner.
        extend: Names of finished stages to train for more epochs, where nothing else has changed
            but the schedule; see :class:`~pcdet_kd.engine.extend.NewSchedule`.

    Raises:
        StaleStageError: A work directory holds a run of another config or other data.
        ConfigError: A stage cannot be trained.
    """
    retrain, extend = retrain or set(), extend or set()
    names = {stage.name for stage in stages}
    for option, given in (('--retrain', retrain - {'all'}), ('--extend', extend)):
        for name in sorted(given - names):
            raise ConfigError(option, [f"no stage '{name}'.{did_you_mean(name, names)}"])
    afresh = names if 'all' in retrain else retrain
    with reading_once():
        for stage in stages:
            if stage.name not in afresh and all(s.reused for s in stage.requires.values()):
                stage.record = on_main(_finished, stage, stage.name in extend)
            stage.reused = stage.record is not None
        for stage in stages:
            if not stage.reused:
                check_run(stage.cfg)
                rehearse(stage, partial(look, stage) if look is not None else None)
        for number, stage in enumerate(stages, 1):
            title = f'[{number}/{len(stages)}] {stage.name}'
            if stage.reused:
                say(f'{title}: finished before, reused ({stage.weights})')
            elif dry_run:
                say(f'{title}: {stage.config} would train in {stage.work_dir}')
            else:
                _run(stage, title, stage.name in afresh, stage.name in extend, say)
    return stages


def _finished(stage: Stage, extend: bool) -> StageRecord | None:
    """Return the record of a stage that is finished and fits; files that have not changed since are
    not read again. One that is to be extended, and can be, is not finished.
    """
    found = StageRecord.read(stage.work_dir)
    if found is None or not found.finished:
        return None
    wanted = StageRecord(flat_config(stage.resolved()), found.data)
    if found.source != _source(stage.cfg) or not unchanged(found.files):
        wanted.data, files = _read_data(stage.cfg)
    if extend and epochs_before(found, wanted):
        return None
    _check_same(stage, found, wanted)
    weights = stage.work_dir / found.weights
    if not weights.is_file() or file_sha256(weights) != found.weights_sha256:
        raise StaleStageError(
            f"{weights} is not the file that '{stage.name}' finished with (missing or changed). "
            f'Train it again with --retrain {stage.name}'
        )
    return found


def _check_same(stage: Stage, found: StageRecord, wanted: StageRecord) -> None:
    changed = found.differences(wanted)
    if changed:
        lines = '\n  '.join(changed)
        epochs = epochs_before(found, wanted)
        longer = f'train it on from epoch {epochs} with --extend {stage.name}, ' if epochs else ''
        raise StaleStageError(
            f"{stage.work_dir} holds a run of '{stage.name}' with another config or other data:"
            f'\n  {lines}\nTrain it again with --retrain {stage.name} (what is there is moved '
            f'aside), {longer}or choose another --work-dir'
        )


def _run(stage: Stage, title: str, afresh: bool, extend: bool, say: Callable[[str], None]) -> None:
    """Train one stage as the only one in its directory, which is locked before it is looked at."""
    if afresh:
        on_main(_move_aside, stage, say)
    barrier()
    with WorkDirLock(stage.work_dir):
        stage.record = None if afresh else on_main(_finished, stage, extend)
        if stage.record is not None:  # another process has had the lock since we looked
            stage.reused = True
            say(f'{title}: finished meanwhile, reused ({stage.weights})')
            return
        cfg = stage.resolved()
        wanted, resume = on_main(_begin, stage, cfg, extend)
        say(f'{title}: {f"resumes from {resume}" if resume else "trains"} in {stage.work_dir}')
        if resume and cfg.get('resume'):
            cfg.load_from = None  # --resume FILE began this run, which has gone on since
        cfg.resume = bool(cfg.get('resume')) or resume is not None
        runner = RUNNERS.build(cfg)
        runner.lock, runner.extended_at = nullcontext(), wanted.extended_at
        runner.train()
        wanted.results = test_last_and_best(runner)
        wanted.test_samples = len(runner.test_dataloader.dataset) if wanted.results else 0
        barrier()
        stage.record = on_main(_end, stage, wanted)


def _begin(stage: Stage, cfg: Config, extend: bool) -> tuple[StageRecord, Path | None]:
    """Check the directory, write the record of this run, and fill feature banks."""
    wanted = StageRecord(flat_config(cfg), *_read_data(cfg), source=_source(cfg))
    found = StageRecord.read(stage.work_dir)
    resume = find_resume(stage.work_dir)
    if resume and found is None:
        raise StaleStageError(
            f'{stage.work_dir} holds checkpoints without a record of what was trained. Move it '
            'away, or choose another --work-dir'
        )
    if resume:
        wanted.extended_at = epochs_before(found, wanted) if extend else 0
        if not wanted.extended_at:
            _check_same(stage, found, wanted)
            wanted.extended_at = found.extended_at
    wanted.write(stage.work_dir)
    for bank in feature_banks(cfg):
        bank.build('cuda' if torch.cuda.is_available() else 'cpu')
    return wanted, resume


def _end(stage: Stage, record: StageRecord) -> StageRecord:
    record.weights, record.finished = stage.weights.name, True
    record.weights_sha256 = file_sha256(stage.weights)
    record.write(stage.work_dir)
    return record


def _move_aside(stage: Stage, say: Callable[[str], None]) -> None:
    if stage.work_dir.exists():
        aside = stage.work_dir.with_name(f'{stage.work_dir.name}.{time.strftime("%Y%m%d_%H%M%S")}')
        with WorkDirLock(stage.work_dir) as lock:
            stage.work_dir.rename(aside)
            (aside / lock.file.name).unlink()
        say(f'{stage.name}: moved {stage.work_dir} to {aside}')


def _source(cfg: Config) -> str:
    """Text of the training data's config, places included."""
    return json.dumps(cfg.train_dataloader.dataset, sort_keys=True, default=repr)


def _read_data(cfg: Config) -> tuple[str, Files]:
    """Return a fingerprint of the training data, and the files that it was read from."""
    with noting_files() as files:
        leaves = leaf_datasets(DATASETS.build(cfg.train_dataloader.dataset))
        prints = [leaf.fingerprint() for leaf in leaves if hasattr(leaf, 'fingerprint')]
    return '-'.join(prints), files


def test_last_and_best(runner: Any) -> dict[str, dict[str, Any]]:
    """Return test metrics of the last epoch and, if a validation metric chose one, of the best
    epoch; the predictions of each go to a file in the work directory (see
    :func:`~pcdet_kd.evaluation.predictions.predictions_file`).
    """
    if runner._test_dataloader is None:
        return {}
    results = {'last': _test(runner, 'last')}
    last, best = (Path(runner.work_dir) / f'{which}.pth' for which in ('last', 'best'))
    if best.is_file():
        if last.is_file() and os.path.samefile(last, best):
            results['best'] = results['last']
            written = predictions_file(runner.work_dir, 'last')
            if written.is_file() and is_main_process():
                link_or_copy(written, predictions_file(runner.work_dir, 'best'))
        else:
            load_weights(unwrapped(runner.model), load_checkpoint_file(best)['state_dict'])
            results['best'] = _test(runner, 'best')
    return {which: {k: float(v) for k, v in metrics.items()} for which, metrics in results.items()}


def _test(runner: Any, which: str) -> dict[str, Any]:
    """Test, and write what the first accuracy has seen."""
    results = runner.test()
    for metric in runner.test_loop.evaluator.metrics:
        if isinstance(metric, PointAccuracy) and is_main_process():
            file = predictions_file(runner.work_dir, which)
            write_whole(file, json.dumps(metric.predictions, indent=1))
            break
    return results


def feature_banks(cfg: Config) -> list[Any]:
    """Build the feature banks that a config's model looks up (unfilled)."""
    return [
        TEACHERS.build(value)
        for _, _, _, value in nodes(dict(model=cfg.model))
        if isinstance(value, dict) and value.get('type') == 'FeatureBank'
    ]
