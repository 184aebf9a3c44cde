"""Data loaders: built from a config with what MMEngine leaves out, and checked before training."""

import copy
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.registry import FUNCTIONS, SCOPE


def build_dataloader(dataloader: DataLoader | Mapping, seed: int | None = None, diff_rank_seed: bool = False) -> DataLoader:
    """Build and check a data loader.

    ``worker_init_fn`` is :func:`pcdet_kd.engine.hooks.worker_init` unless given; with ``num_workers=0``,
    ``persistent_workers`` and ``prefetch_factor`` are left out, which torch refuses.

    Args:
        dataloader: As in MMEngine's Runner.
        seed: Seed of the sampler.
        diff_rank_seed: Whether each process seeds for itself.

    Raises:
        ValueError: There is no sample, or not one batch.
    """
    if isinstance(dataloader, DataLoader):
        _check(dataloader)
        return dataloader
    cfg = copy.deepcopy(dict(dataloader))
    if cfg.get('num_workers', 0) == 0:
        cfg.pop('persistent_workers', None)
        cfg.pop('prefetch_factor', None)
    cfg.setdefault('worker_init_fn', dict(type='worker_init'))
    for name in ('worker_init_fn', 'collate_fn'):
        function = cfg.get(name)
        if isinstance(function, Mapping) and isinstance(function.get('type'), str):
            # MMEngine looks the name up in its own registry only.
            cfg[name] = {**function, 'type': FUNCTIONS.get(function['type'])}
    scope = nullcontext() if DefaultScope.get_current_instance() else DefaultScope.overwrite_default_scope(SCOPE)
    with scope:  # outside a Runner there may be none
        loader = Runner.build_dataloader(cfg, seed=seed, diff_rank_seed=diff_rank_seed)
    _check(loader)
    return loader


def stop_workers(loader: Any) -> None:
    """End a loader's persistent workers now.

    Left to Python's garbage collector, a loader in a reference cycle (a Runner is one) may have lost its queues by then, and
    waits 5 seconds for each worker.
    """
    iterator = getattr(loader, '_iterator', None)
    if iterator is not None and hasattr(iterator, '_shutdown_workers'):
        loader._iterator = None
        iterator._shutdown_workers()


def _check(loader: DataLoader) -> None:
    dataset = next(leaf_datasets(loader.dataset))
    name = f'{type(dataset).__name__}' + (f" (split '{dataset.split}')" if hasattr(dataset, 'split') else '')
    if not len(loader.dataset):
        raise ValueError(f'{name} has 0 samples; check data_root, split and indices')
    if not len(loader):
        raise ValueError(f'{name}: {len(loader.dataset)} samples make 0 batches of {loader.batch_size or "its sampler"} '
                         'because drop_last leaves the incomplete one out; lower batch_size or set drop_last=False')
