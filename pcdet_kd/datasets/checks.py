"""Checks of the records that a data set has read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pcdet_kd.utils.errors import DataError

if TYPE_CHECKING:
    from pcdet_kd.datasets.records import Records

# Georeferenced clouds in metres stay below 1e7. Beyond 1e9 neighbouring float32 numbers are 64
# apart, and the fourth power, which products of squared distances need, no longer fits.
MAX_COORDINATE = 1e9
_AGAIN = 'download or convert the file again'
_ALLOW = 'remove or repair the sample, or pass allow_degenerate=True'


def check_records(
    records: 'Records', classes: Sequence[str], allow_degenerate: bool = False
) -> None:
    """Check what a data set has read.

    Args:
        records: The records.
        classes: Names of the classes.
        allow_degenerate: Accept clouds whose coordinates are beyond ``MAX_COORDINATE`` or whose
            points are all at one place.

    Raises:
        DataError: Shapes or types are wrong, labels are outside the classes, or a cloud is empty,
            degenerate or not finite; names the file and the sample.
    """
    labels, points, n = records.labels, records.points, len(records.labels)

    def blame(i: int) -> str:
        return f"{records.source}, sample {i} ('{records.ids[i]}')"

    if len(points) != n or len(records.ids) != n:
        raise DataError(
            records.source,
            f'{len(points)} clouds, {n} labels, {len(records.ids)} names',
            'the same number of each',
            _AGAIN,
        )
    if len(set(records.ids)) != n:
        raise DataError(
            records.source, 'names that occur twice', 'unique sample names', 'rename the files'
        )
    bad = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(bad):
        raise DataError(
            blame(bad[0]),
            f'label {labels[bad[0]]}',
            f'0 to {len(classes) - 1} ({len(classes)} classes)',
            'check that the file belongs to this data set and variant',
        )
    if isinstance(points, np.ndarray) and (
        points.ndim != 3 or points.shape[1] == 0 or points.shape[2] != 3
    ):
        raise DataError(
            records.source,
            f'points of shape {points.shape}',
            '(samples, points, 3) with points > 0',
            _AGAIN,
        )
    for i, cloud in enumerate(points):
        fault = fault_of(cloud, allow_degenerate)
        if fault:
            raise DataError(blame(i), *fault)
    for name, arrays in records.extras.items():
        if len(arrays) != n:
            raise DataError(
                records.source, f"'{name}' for {len(arrays)} samples", f'{n}, one per cloud', _AGAIN
            )
        for i, values in enumerate(arrays):
            if len(values) != len(points[i]):
                raise DataError(
                    blame(i),
                    f"'{name}' for {len(values)} points",
                    f'{len(points[i])}, one per point',
                    _AGAIN,
                )
            if values.dtype.kind == 'f' and not np.isfinite(values).all():
                raise DataError(
                    blame(i),
                    f"NaN or infinity in '{name}'",
                    'finite numbers',
                    'remove or repair the sample',
                )


def fault_of(cloud: np.ndarray, allow_degenerate: bool) -> tuple[str, str, str] | None:
    """Return what was found, what was expected and what to do; None for a good cloud (N, 3)."""
    if cloud.dtype != np.float32:
        return f'points of type {cloud.dtype}', 'float32', 'convert them in load_records'
    if cloud.ndim != 2 or len(cloud) == 0 or cloud.shape[1] != 3:
        return (
            f'points of shape {cloud.shape}',
            '(points, 3) with points > 0',
            'remove or repair the file',
        )
    largest = max(cloud.max(), -cloud.min())  # NaN if there is one
    if not np.isfinite(largest):
        return 'NaN or infinite coordinates', 'finite coordinates', 'remove or repair the sample'
    if allow_degenerate:
        return None
    if largest > MAX_COORDINATE:
        return f'a coordinate of {largest:.3g}', f'at most {MAX_COORDINATE:.0e}', _ALLOW
    if (cloud[0] == cloud[-1]).all() and (cloud == cloud[0]).all():
        return f'{len(cloud)} points, all at one place', 'a cloud with an extent', _ALLOW
    return None
