"""Random numbers that depend on the seed and the epoch only."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook

from pcdet_kd.registry import FUNCTIONS, HOOKS
from pcdet_kd.utils.stop import leave_signals_to_parent

_BEFORE_WORKERS, _AFTER_WORKERS, _EVALUATION = range(3)


@HOOKS.register_module()
class SeedHook(Hook):
    """Puts all random generators into a state that follows from (seed, epoch, rank), and tells data
    sets the epoch.

    Thus a run that is resumed at an epoch is the run that was never interrupted, dropout included,
    and no epoch repeats the augmentations of another. Data sets with ``set_epoch(epoch, seed)``
    (ours) get both, also inside wrappers and with running workers. Parts of the model with
    ``set_random_state(seed, iteration, rank)``, such as a preprocessor that mixes the clouds of a
    batch, get these before each iteration. Evaluation always sees the same random numbers, so that
    its figures compare.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._parts = []

    def before_train(self, runner: Any) -> None:
        self._parts = [part for part in runner.model.modules() if hasattr(part, 'set_random_state')]

    def before_train_epoch(self, runner: Any) -> None:
        for dataset in leaf_datasets(runner.train_dataloader.dataset):
            _set_epoch(dataset, runner.epoch, runner.seed)
        self.seed(runner, runner.epoch, _BEFORE_WORKERS)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        # Once more when the workers have started: how many numbers that drew depends on whether
        # they are persistent.
        if batch_idx == 0:
            self.seed(runner, runner.epoch, _AFTER_WORKERS)
        for part in self._parts:
            part.set_random_state(runner.seed, runner.iter, get_rank())

    def before_val_epoch(self, runner: Any) -> None:
        self._before_evaluation(runner, runner.val_dataloader)

    def before_test_epoch(self, runner: Any) -> None:
        self._before_evaluation(runner, runner.test_dataloader)

    def _before_evaluation(self, runner: Any, dataloader: Any) -> None:
        for dataset in leaf_datasets(dataloader.dataset):
            _set_epoch(dataset, 0, runner.seed)
        self.seed(runner, 0, _EVALUATION)

    @staticmethod
    def seed(runner: Any, epoch: int, moment: int) -> None:
        """Seed Python, NumPy and torch (all devices)."""
        state = int(
            np.random.SeedSequence([runner.seed, epoch, get_rank(), moment]).generate_state(1)[0]
        )
        random.seed(state)
        np.random.seed(state)
        torch.manual_seed(state)


def leaf_datasets(dataset: Any) -> Iterator[Any]:
    """Yield the data sets inside wrappers (concatenated, repeated, sliced, subset), or the data set
    itself.
    """
    inner = vars(dataset).get('datasets') or [
        vars(dataset)[k] for k in ('dataset', '_dataset') if k in vars(dataset)
    ]
    if not inner:
        yield dataset
    for child in inner:
        yield from leaf_datasets(child)


def _set_epoch(dataset: Any, epoch: int, seed: int) -> None:
    if hasattr(dataset, 'set_epoch'):
        dataset.set_epoch(epoch, seed)


@FUNCTIONS.register_module()
def worker_init(worker_id: int) -> None:
    """Start a loader's worker: fresh random numbers from torch's seed, and the main process alone
    answers Ctrl-C and SIGTERM.

    MMEngine's default seeds every epoch's new workers alike, so that augmentations repeat each
    epoch.
    """
    # torch: a number drawn in the main process at each start, plus worker_id
    state = torch.initial_seed() % 2**32
    random.seed(state)
    np.random.seed(state)
    leave_signals_to_parent()
