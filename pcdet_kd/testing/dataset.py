"""The contract of a data set."""

import random
from typing import Any

import numpy as np
import torch

from pcdet_kd.registry import DATASETS
from pcdet_kd.testing.compare import equal, require


def check_dataset(dataset: Any, num_samples: int = 3) -> None:
    """Check a data set: metainfo, read-only arrays, the keys of a sample, stable names,
    reproducible random numbers.

    Its seed and epoch are 0 afterwards.

    Args:
        dataset: The data set, or its config (then names and points of two instances are compared
            too).
        num_samples: How many samples to look at, from both ends.
    """
    config = dataset if isinstance(dataset, dict) else None
    dataset = DATASETS.build(dataset) if config else dataset
    dataset.full_init()
    name = type(dataset).__name__
    meta = dataset.metainfo
    classes = meta.get('classes') or ()
    unlabelled = not classes and len(dataset) > 0 and 'gt_label' not in dataset.get_data_info(0)
    require(
        unlabelled
        or (len(classes) == len(set(classes)) > 0 and all(isinstance(c, str) for c in classes)),
        f"{name}: metainfo['classes'] is {classes!r}: give the class names, each once, in label "
        'order; a data set without labels has none',
    )
    up_axis = meta.get('up_axis')
    require(
        up_axis in ('x', 'y', 'z'),
        f"{name}: metainfo['up_axis'] is {up_axis!r}, expected 'x', 'y' or 'z'",
    )
    require(bool(meta.get('task')), f"{name}: metainfo has no 'task', for example 'classification'")
    require(len(dataset) > 0, f'{name} is empty')
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    ids = [info.get('sample_id') for info in infos]
    require(
        all(isinstance(i, str) for i in ids) and len(set(ids)) == len(ids),
        f'{name}: every sample needs a unique sample_id (str), got {ids[:3]}',
    )
    chosen = sorted({i % len(dataset) for n in range(num_samples) for i in (n, -1 - n)})
    for i in chosen:
        _check_sample(f'{name}, sample {i}', infos[i], i, None if unlabelled else len(classes))
    kept = {i: infos[i]['points'].copy() for i in chosen}
    if config:
        twin = DATASETS.build(config)
        twin.full_init()
        require(
            [twin.get_data_info(i)['sample_id'] for i in range(len(twin))] == ids,
            f'{name}: a second instance has other sample_ids: they must depend on nothing but the '
            'data',
        )
        require(
            equal({i: twin.get_data_info(i)['points'] for i in chosen}, kept),
            f'{name}: a second instance has other points',
        )
    state = np.random.get_state(), random.getstate()
    try:
        for i in chosen:
            dataset.set_epoch(1, seed=0)
            first = dataset[i]
            np.random.seed(12345)
            torch.rand(1)
            require(
                equal(first, dataset[i]),
                f'{name}: sample {i} differs between two reads with the same seed and epoch: draw '
                'random numbers from np.random or random only, which are seeded per sample',
            )
    finally:
        np.random.set_state(state[0])
        random.setstate(state[1])
        dataset.set_epoch(0, seed=0)
    require(
        equal({i: dataset.get_data_info(i)['points'] for i in chosen}, kept),
        f'{name}: the pipeline changed the stored points: transforms must return new arrays',
    )


def _check_sample(where: str, info: dict, index: int, num_classes: int | None) -> None:
    expected = ('points', 'sample_idx', 'sample_id', 'num_points', 'up_axis')
    expected += () if num_classes is None else ('gt_label',)
    missing = [key for key in expected if key not in info]
    require(not missing, f'{where} has no {", ".join(missing)}')
    points = info['points']
    require(
        isinstance(points, np.ndarray)
        and points.dtype == np.float32
        and points.ndim == 2
        and points.shape[1] == 3,
        f'{where}: points must be a float32 array (N, 3)',
    )
    require(
        bool(np.isfinite(points).all()) and len(points) == info['num_points'] > 0,
        f'{where}: points must be finite, and num_points ({info["num_points"]}) must be their '
        f'number ({len(points)})',
    )
    require(
        num_classes is None or 0 <= info['gt_label'] < num_classes,
        f'{where}: gt_label is {info.get("gt_label")}, expected 0 to {(num_classes or 0) - 1}',
    )
    require(
        info['sample_idx'] == index,
        f'{where}: sample_idx is {info["sample_idx"]}, expected {index}',
    )
    writeable = [k for k, v in info.items() if isinstance(v, np.ndarray) and v.flags.writeable]
    require(
        not writeable,
        f'{where}: {", ".join(writeable)} can be written to: set flags.writeable = False',
    )
