"""Training a finished run for more epochs."""

import copy
import warnings
from collections.abc import Iterator
from typing import Any

from mmengine.optim import OptimWrapperDict

from pcdet_kd.engine.stage_record import StageRecord

_EPOCHS = 'train_cfg.max_epochs'
_SCHEDULE = 'param_scheduler'


def epochs_before(found: StageRecord, wanted: StageRecord) -> int:
    """Return after how many epochs a finished run can go on as another one; 0: it cannot.

    It can where the other one differs in nothing but more epochs and, with these, another schedule.
    A schedule that follows a metric (``ReduceOnPlateau``) has no value at an epoch: it must be the
    same.
    """
    old, new = (str(record.config.get(_EPOCHS, '')) for record in (found, wanted))
    if not found.finished or not (old.isdigit() and new.isdigit() and int(old) < int(new)):
        return 0
    keys = found.config.keys() | wanted.config.keys()
    changed = {k for k in keys if found.config.get(k) != wanted.config.get(k)} - {_EPOCHS}
    if any(not key.startswith(_SCHEDULE) for key in changed):
        return 0
    schedule = [v for k, v in wanted.config.items() if k.startswith(_SCHEDULE)]
    if changed and any('ReduceOnPlateau' in value for value in schedule):
        return 0
    return 0 if found.data and wanted.data and found.data != wanted.data else int(old)


class NewSchedule:
    """The values that a config's optimisers and schedulers begin with, before a checkpoint of
    another schedule is read.

    Args:
        runner: Has built them.
    """

    def __init__(self, runner: Any) -> None:
        self._groups = [
            {k: copy.deepcopy(v) for k, v in group.items() if k != 'params'}
            for group in _groups(runner)
        ]
        self._states = [copy.deepcopy(one.state_dict()) for one in _schedulers(runner)]

    def apply(self, runner: Any) -> None:
        """Set learning rates, and all else that schedulers change, to what the new schedule has
        after as many epochs as the runner has behind it. Moments of the optimiser stay.
        """
        for group, values in zip(_groups(runner), self._groups):
            group.update(values)
        schedulers = list(_schedulers(runner))
        for one, state in zip(schedulers, self._states):
            one.load_state_dict(state)
        by_batch = [one for one in schedulers if not one.by_epoch]
        with warnings.catch_warnings():  # of steps of a schedule without one of the optimiser
            warnings.simplefilter('ignore')
            for _ in range(runner.epoch):
                for _ in range(len(runner.train_dataloader) if by_batch else 0):
                    for one in by_batch:
                        one.step()
                for one in schedulers:
                    if one.by_epoch:
                        one.step()


def _groups(runner: Any) -> Iterator[dict[str, Any]]:
    wrapper = runner.optim_wrapper
    for one in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]:
        yield from one.optimizer.param_groups


def _schedulers(runner: Any) -> Iterator[Any]:
    found = runner.param_schedulers or []
    for group in found.values() if isinstance(found, dict) else [found]:
        yield from group
