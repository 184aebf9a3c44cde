"""Which clouds of a data set are used, which of them have labels, and clouds from elsewhere that
have none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pcdet_kd.datasets.files import read_lines
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError

if TYPE_CHECKING:
    from pcdet_kd.datasets.base import PointCloudDataset

PREFIX = 'unlabelled/'  # of the names of clouds from another data set


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return all indices (n,) in an order whose beginnings are stratified by class.

    The first clouds are one of each class; then each class comes as often as its share (the divisor
    method of Webster and Sainte-Laguë). The first k are thus part of the first k + 1, and their
    classes are as frequent as in all clouds.

    Args:
        labels: (n,) class of each cloud.
        seed: The order within a class depends only on this, on the class and on the number of its
            clouds.
    """
    rank = np.empty(len(labels), np.int64)
    size = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        drawn = np.random.default_rng([seed, int(label) + 1]).permutation(members)
        rank[drawn] = np.arange(len(drawn))
        size[members] = len(members)
    return np.lexsort((labels, (rank + 0.5) / size, rank > 0))


def choose(
    name: str, wanted: float | str | None, labels: np.ndarray, ids: Sequence[str], seed: int
) -> np.ndarray:
    """Return the sorted indices of the chosen clouds.

    Args:
        name: Name of the argument, for messages.
        wanted: A number (int), a share (float, at most 1), a text file with the ``sample_id`` of a
            cloud in each line, or None for all. A share is rounded, and is at least one cloud of
            each class.
        labels: (n,) class of each cloud.
        ids: n names.
        seed: See :func:`stratified_order`.

    Raises:
        ValueError: There are not so many clouds.
        DataError: The file names a cloud that is not there.
    """
    if wanted is None:
        return np.arange(len(labels))
    if isinstance(wanted, str | Path):
        return _listed(Path(wanted).expanduser(), ids)
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        raise ValueError(f'{name} is {wanted!r}, must be a number, a share or a file')
    if isinstance(wanted, float):
        if not 0 < wanted <= 1:
            raise ValueError(
                f'{name} is {wanted}, must be a share above 0, 1.0 at most, or a whole number'
            )
        wanted = max(round(wanted * len(labels)), len(np.unique(labels)))
    if not 0 <= wanted <= len(labels):
        raise ValueError(f'{name} is {wanted}, but there are {len(labels)} clouds')
    return np.sort(stratified_order(labels, seed)[:wanted])


def _listed(path: Path, ids: Sequence[str]) -> np.ndarray:
    fix = 'write the sample_id of one cloud in each line'
    lines = [line for line in read_lines(path, 'names of clouds', fix) if line]
    place = {name: i for i, name in enumerate(ids)}
    unknown = [line for line in lines if line not in place]
    if unknown:
        raise DataError(
            path,
            f"{len(unknown)} names that the split does not have, '{unknown[0]}' for one",
            f"names such as '{ids[0]}'",
            fix,
        )
    return np.unique([place[line] for line in lines]).astype(np.int64)


def without_labels(config: Mapping[str, Any]) -> 'PointCloudDataset':
    """Build a data set of which only the clouds are used, by default all of its training part.

    Raises:
        ValueError: It has a pipeline of its own.
    """
    if config.get('pipeline'):
        raise ValueError(
            'unlabelled has a pipeline: its clouds go through that of the labelled data; leave it '
            'out'
        )
    return DATASETS.build({'split': 'trainval', **config, 'labels': 0})


def joined(first: Records, second: Records) -> Records:
    """Return the clouds of both, with the per-point arrays that both have; nothing is copied."""
    names = first.extras.keys() & second.extras.keys()
    return Records(
        [*first.points, *second.points],
        np.concatenate([first.labels, second.labels]),
        [*first.ids, *(PREFIX + name for name in second.ids)],
        {name: [*first.extras[name], *second.extras[name]] for name in sorted(names)},
        source=f'{first.source} and {second.source}',
    )
