"""Facts about the clouds of a split: sizes, classes, scale, and clouds that occur twice."""

import hashlib
from typing import Any, NamedTuple

import numpy as np

from pcdet_kd.apis.doctor.text import span
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.utils.progress import progress_bar

_UNIT = 1 + 1e-3  # the largest radius in a unit sphere, with the rounding of text files
_CENTRED = 0.01  # farthest centre of a centred cloud, in radii


class Clouds(NamedTuple):
    """What was found in one split.

    Attributes:
        facts: ``clouds``, ``points``, ``classes``, ... and ``clouds_of_each_class``.
        prints: A hash of each cloud's sorted points, in the order of the split.
        ids: The name of each cloud.
        labels: The class of each cloud (n,), -1 without one.
        empty: Names of the classes without a cloud.
        degenerate: Names of the clouds whose points are all at one place or beyond 1e9.
    """

    facts: dict[str, Any]
    prints: list[bytes]
    ids: list[str]
    labels: np.ndarray
    empty: list[str]
    degenerate: list[str]

    def twice(self) -> list[tuple[str, str]]:
        """Return (name, name of the first cloud that is equal) of each cloud that occurs again."""
        first: dict[bytes, int] = {}
        pairs = []
        for i, found in enumerate(self.prints):
            if first.setdefault(found, i) != i:
                pairs.append((self.ids[i], self.ids[first[found]]))
        return pairs

    def in_common(self, other: 'Clouds') -> list[tuple[str, str]]:
        """Return (name, name in the other split) of each cloud that is also in another split."""
        there = dict(zip(other.prints, other.ids))
        return [(name, there[p]) for name, p in zip(self.ids, self.prints) if p in there]


def cloud_print(points: np.ndarray) -> bytes:
    """Return a hash of a cloud (N, 3) that does not depend on the order of its points."""
    points = np.asarray(points) + np.float32(0)  # -0 becomes 0
    ordered = points[np.lexsort(points.T)]
    return hashlib.blake2b(np.ascontiguousarray(ordered), digest_size=16).digest()


def look_at(dataset: PointCloudDataset, title: str) -> Clouds:
    """Return the facts about a data set's clouds, as they are before any transform.

    Args:
        dataset: The data set, built with ``allow_degenerate=True`` to have such clouds counted.
        title: For the progress bar.
    """
    names = dataset.metainfo.get('classes') or ()
    labels, prints, ids, degenerate = [], [], [], []
    sizes, distinct, radii, centres, extents = [], [], [], [], []
    numbers = progress_bar(range(len(dataset)), desc=title, unit='cloud', disable=None)
    for i in numbers:
        info = dataset.get_data_info(i)
        points = info['points']
        centre = points.mean(0, dtype=np.float64)
        radius = float(np.linalg.norm(points.astype(np.float64), axis=1).max())
        extent = np.ptp(points.astype(np.float64), axis=0)
        if not extent.any() or np.abs(points).max() > 1e9:
            degenerate.append(info['sample_id'])
        labels.append(info.get('gt_label', -1))
        prints.append(cloud_print(points))
        ids.append(str(info['sample_id']))
        sizes.append(len(points))
        radii.append(radius)
        centres.append(float(np.linalg.norm(centre)))
        extents.append(extent)
        distinct.append(len(np.unique(points, axis=0)) if i % _every(len(dataset)) == 0 else None)
    labels = np.array(labels)
    counts = np.bincount(labels[labels >= 0], minlength=len(names))
    extras = sorted(k for k in ('normals', 'rgb', 'mask', 'part_labels') if k in info)
    facts = dict(
        clouds=len(ids),
        points=span(sizes),
        distinct_points=span([n for n in distinct if n is not None]),
        also_in_the_files=extras,
        classes=f'{int((counts > 0).sum())} of {len(names)}' if len(names) else None,
        per_class=span(counts[counts > 0].tolist()),
        up_axis=dataset.metainfo.get('up_axis'),
        radius=span([float(f'{r:.3g}') for r in (min(radii), max(radii))]),
        in_the_unit_sphere=max(radii) <= _UNIT,
        centred=bool(np.max(np.array(centres) / np.maximum(radii, 1e-12)) < _CENTRED),
        mean_extent_in_x_y_z=[float(f'{e:.2g}') for e in np.mean(extents, axis=0)],
    )
    by_class = {str(name): int(count) for name, count in zip(names, counts)}
    empty = [name for name, count in by_class.items() if not count]
    facts['clouds_of_each_class'] = {name: n for name, n in by_class.items() if n}
    return Clouds(facts, prints, ids, labels, empty, degenerate)


def _every(count: int) -> int:
    """Return the step with which about 500 clouds are chosen: counting points takes long."""
    return max(1, count // 500)
