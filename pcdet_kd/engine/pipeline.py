"""One command trains a config and all that it requires: it reuses what is finished and goes on
with what was stopped.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.model import is_model_wrapper

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.stage_record import StageRecord, flat_config
from pcdet_kd.engine.stages import Stage, nodes
from pcdet_kd.registry import DATASETS, MODELS, RUNNERS, TEACHERS, did_you_mean
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights
from pcdet_kd.utils.errors import DataError, UserError
from pcdet_kd.utils.files import file_sha256
from pcdet_kd.utils.resume import find_resume


class StaleStageError(UserError, RuntimeError):
    """A stage's work directory holds a run of another config or of other data."""


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
    data: dict[str, str] = {}
    for stage in (
        stages
    ):  # a model that cannot be built, or data that is not there, is known before hours are spent
        try:
            MODELS.build(stage.cfg.model)
            data[stage.name] = _data_fingerprint(stage.cfg)
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
        run_stage(stage, f'[{number}/{len(stages)}] {stage.name}', data[stage.name], say)
    return stages


def run_stage(stage: Stage, title: str, data: str, say: Callable[[str], None]) -> None:
    """Train one stage, or find that it is finished. Its ``record`` is set afterwards."""
    cfg = stage.resolved()
    wanted = StageRecord(flat_config(cfg), data=data)
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
        for _, _, _, value in nodes(dict(model=cfg.model))
        if isinstance(value, dict) and value.get('type') == 'FeatureBank'
    ]
