import random
from types import SimpleNamespace

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Subset

from pcdet_kd.engine.hooks import SeedHook, worker_init
from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.registry import DATASETS


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def runner(seed=0, epoch=0):
    loader = SimpleNamespace(dataset=DATASETS.build(dict(type='TinyClouds')))
    return SimpleNamespace(
        seed=seed,
        epoch=epoch,
        train_dataloader=loader,
        val_dataloader=loader,
        test_dataloader=loader,
    )


def start(seed, epoch):
    hook, run = SeedHook(), runner(seed, epoch)
    hook.before_train_epoch(run)
    first = draws()
    hook.before_train_iter(run, 0)
    return first, draws()


def test_the_numbers_follow_from_seed_and_epoch_alone():
    assert start(0, 3) == start(0, 3)
    assert (
        len(
            {
                value
                for pair in (start(0, 3), start(0, 4), start(1, 3))
                for moment in pair
                for value in moment
            }
        )
        == 18
    )


def test_only_the_first_iteration_seeds():
    run, hook = runner(), SeedHook()
    hook.before_train_iter(run, 0)
    first = draws()
    hook.before_train_iter(run, 1)
    assert draws() != first


def test_data_sets_learn_seed_and_epoch_and_evaluation_is_always_the_same():
    run, hook = runner(seed=7, epoch=5), SeedHook()
    hook.before_train_epoch(run)
    assert run.train_dataloader.dataset._random_state.tolist() == [7, 5]
    hook.before_val_epoch(run)
    assert run.val_dataloader.dataset._random_state.tolist() == [7, 0]
    first = draws()
    run.epoch = 6
    hook.before_test_epoch(run)
    assert draws() == first


def test_wrapped_data_sets_are_found():
    one, two = DATASETS.build(dict(type='TinyClouds')), DATASETS.build(dict(type='TinyClouds'))
    assert list(leaf_datasets(ConcatDataset([one, Subset(two, [0])]))) == [one, two]


def test_processes_draw_differently_and_reproducibly(monkeypatch):
    from pcdet_kd.engine.hooks import seed

    found = []
    for rank in (0, 1, 0):
        monkeypatch.setattr(seed, 'get_rank', lambda rank=rank: rank)
        found.append(start(0, 3))
    assert found[0] == found[2]
    assert len({value for pair in found[:2] for moment in pair for value in moment}) == 12


def test_workers_draw_differently_and_reproducibly():
    """What a transform of another package draws outside a sample of ours, from the global
    generators of its worker.
    """

    class Draws(torch.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return draws()

    def read(seed):
        torch.manual_seed(seed)
        loader = torch.utils.data.DataLoader(
            Draws(), batch_size=None, num_workers=2, worker_init_fn=worker_init
        )
        return [tuple(map(float, sample)) for sample in loader]

    first = read(0)
    assert first == read(0) and len({v for sample in first for v in sample}) == 12
    assert not {v for sample in first for v in sample} & {v for sample in read(1) for v in sample}


def test_parts_that_mix_batches_get_numbers_of_their_own_for_each_iteration_and_process(
    monkeypatch,
):
    from pcdet_kd.engine.hooks import seed

    class Mixes(torch.nn.Module):
        def set_random_state(self, *numbers):
            self.numbers = numbers

    run, hook = runner(seed=7, epoch=2), SeedHook()
    run.model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Sequential(Mixes()))
    hook.before_train(run)
    found = []
    for rank, run.iter in ((0, 10), (0, 11), (1, 11)):
        monkeypatch.setattr(seed, 'get_rank', lambda rank=rank: rank)
        hook.before_train_iter(run, 3)
        found.append(run.model[1][0].numbers)
    assert found == [(7, 10, 0), (7, 11, 0), (7, 11, 1)]
