"""Data loaders: built from a config with what MMEngine leaves out, and checked before training."""

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.registry import DATASETS, FUNCTIONS, SCOPE


def build_dataloader(
    dataloader: DataLoader | Mapping, seed: int | None = None, diff_rank_seed: bool = False
) -> DataLoader:
    """Build and check a data loader.

    ``worker_init_fn`` is :func:`pcdet_kd.engine.hooks.worker_init` unless given; with
    ``num_workers=0``, ``persistent_workers`` and ``prefetch_factor`` are left out, which torch
    refuses.

    ``device='cuda'`` (or another device) keeps the clouds there and augments whole batches there,
    in this process: see :class:`~pcdet_kd.datasets.device_dataset.DeviceDataset`. What concerns
    workers, pinning and collation then has nothing to do and is left out.

    Args:
        dataloader: As in MMEngine's Runner.
        seed: Seed of the sampler.
        diff_rank_seed: Whether each process seeds for itself.

    Raises:
        ValueError: There is no sample, or not one batch, or the data set can't be kept on
            ``device``.
    """
    if isinstance(dataloader, DataLoader):
        _check(dataloader)
        return dataloader
    cfg = copy.deepcopy(dict(dataloader))
    if cfg.get('device') is not None:
        cfg = _on_device(cfg)
    cfg.pop('device', None)
    if cfg.get('num_workers', 0) == 0:
        cfg.pop('persistent_workers', None)
        cfg.pop('prefetch_factor', None)
    cfg.setdefault('worker_init_fn', dict(type='worker_init'))
    for name in ('worker_init_fn', 'collate_fn'):
        function = cfg.get(name)
        if isinstance(function, Mapping) and isinstance(function.get('type'), str):
            # MMEngine looks the name up in its own registry only.
            cfg[name] = {**function, 'type': FUNCTIONS.get(function['type'])}
    with _scope():
        loader = Runner.build_dataloader(cfg, seed=seed, diff_rank_seed=diff_rank_seed)
    _check(loader)
    return loader


def _scope() -> AbstractContextManager:
    """Our scope, where there is none: outside a Runner."""
    return (
        nullcontext()
        if DefaultScope.get_current_instance()
        else DefaultScope.overwrite_default_scope(SCOPE)
    )


def _on_device(cfg: dict) -> dict:
    """Put the data set of a loader's config on its device, and take out what then has nothing to
    do.
    """
    from pcdet_kd.datasets.collate import collate_points
    from pcdet_kd.datasets.device_dataset import (
        DeviceDataset,
        as_it_is,
    )  # imports the transforms, and MMCV with them

    collate = cfg.pop('collate_fn', None)
    if isinstance(collate, Mapping) and collate.get('type') not in (
        'collate_points',
        collate_points,
    ):
        raise ValueError(
            f'device={str(cfg["device"])!r} of the data loader makes whole batches; collate_fn '
            f"{collate.get('type')} can't be used: leave one of them out"
        )
    dataset = cfg['dataset']
    if isinstance(dataset, Mapping):
        with _scope():
            dataset = DATASETS.build(dict(dataset))
    for name in (
        'num_workers',
        'persistent_workers',
        'prefetch_factor',
        'pin_memory',
        'worker_init_fn',
    ):
        cfg.pop(name, None)
    return {
        **cfg,
        'dataset': DeviceDataset(dataset, cfg['device']),
        'num_workers': 0,
        'collate_fn': as_it_is,
    }


def stop_workers(loader: Any) -> None:
    """End a loader's persistent workers now.

    Left to Python's garbage collector, a loader in a reference cycle (a Runner is one) may have
    lost its queues by then, and waits 5 seconds for each worker.
    """
    iterator = getattr(loader, '_iterator', None)
    if iterator is not None and hasattr(iterator, '_shutdown_workers'):
        loader._iterator = None
        iterator._shutdown_workers()


def _check(loader: DataLoader) -> None:
    dataset = next(leaf_datasets(loader.dataset))
    name = f'{type(dataset).__name__}' + (
        f" (split '{dataset.split}')" if hasattr(dataset, 'split') else ''
    )
    if not len(loader.dataset):
        raise ValueError(f'{name} has 0 samples; check data_root, split and indices')
    if not len(loader):
        raise ValueError(
            f'{name}: {len(loader.dataset)} samples make 0 batches of '
            f'{loader.batch_size or "its sampler"} because drop_last leaves the incomplete one '
            'out; lower batch_size or set drop_last=False'
        )
