import numpy as np
import pytest

from pcdet_kd.datasets.checks import check_records
from pcdet_kd.datasets.records import Records
from pcdet_kd.utils.errors import DataError


def records(**changes):
    points = np.stack([cloud()] * 4)
    return Records(
        **{
            **dict(
                points=points, labels=np.arange(4) % 2, ids=list('abcd'), extras={}, source='f.h5'
            ),
            **changes,
        }
    )


def cloud(value=0.0, shape=(5, 3), dtype=np.float32):
    """A cloud of points apart, of which one coordinate is ``value``."""
    points = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    points[..., -1:, -1:] = value
    return points


GOOD = [cloud(), cloud(shape=(2, 3)), cloud()]
BAD = [
    (dict(points=cloud(shape=(3, 5, 3))), '3 clouds, 4 labels, 4 names'),
    (dict(ids=list('abc')), '4 clouds, 4 labels, 3 names'),
    (dict(ids=list('abca')), 'names that occur twice'),
    (
        dict(labels=np.array([0, 1, 2, 1])),
        r"sample 2 \('c'\)\n  found:    label 2\n  expected: 0 to 1",
    ),
    (dict(labels=np.array([0, -1, 0, 1])), r"sample 1 \('b'\)\n  found:    label -1"),
    (dict(points=cloud(shape=(4, 0, 3))), r'points of shape \(4, 0, 3\)'),
    (dict(points=cloud(shape=(4, 5, 6))), r'points of shape \(4, 5, 6\)'),
    (dict(points=cloud(shape=(4, 5))), r'points of shape \(4, 5\)'),
    (dict(points=cloud(shape=(4, 5, 3), dtype=np.float64)), 'points of type float64'),
    (dict(points=[*GOOD, cloud(np.nan)]), r"sample 3 \('d'\)\n  found:    NaN"),
    (
        dict(points=[*GOOD, cloud(shape=(0, 3))]),
        r"sample 3 \('d'\)\n  found:    points of shape \(0, 3\)",
    ),
    (dict(points=[*GOOD, cloud(shape=(5, 6))]), r'points of shape \(5, 6\)'),
    (
        dict(points=np.stack([cloud(), cloud(), cloud(np.inf), cloud()])),
        r"sample 2 \('c'\)\n  found:    NaN or infinite",
    ),
    (dict(extras=dict(mask=np.zeros((3, 5)))), "'mask' for 3 samples"),
    (dict(extras=dict(mask=np.zeros((4, 6)))), "'mask' for 6 points"),
    (dict(extras=dict(normals=cloud(np.nan, (4, 5, 3)))), "NaN or infinity in 'normals'"),
]


@pytest.mark.parametrize(('changes', 'message'), BAD, ids=[m for _, m in BAD])
def test_check_records(changes, message):
    with pytest.raises(DataError, match=message):
        check_records(records(**changes), ('x', 'y'))


def test_check_records_accepts_good_ones():
    check_records(records(), ('x', 'y'))
    check_records(
        records(points=[*GOOD, cloud(9e8)], extras=dict(mask=[np.zeros(n) for n in (5, 2, 5, 5)])),
        ('x', 'y'),
    )


@pytest.mark.parametrize(
    ('bad', 'message'),
    [
        (cloud(1e30), r"f.h5, sample 3 \('d'\)\n  found:    a coordinate of 1e\+30"),
        (cloud(-1.1e9), 'a coordinate of 1.1e'),
        (np.ones((7, 3), np.float32), r"sample 3 \('d'\)\n  found:    7 points, all at one place"),
        (cloud(shape=(1, 3)), '1 points, all at one place'),
    ],
)
def test_degenerate_clouds_are_named_unless_allowed(bad, message):
    with pytest.raises(DataError, match=message):
        check_records(records(points=[*GOOD, bad]), ('x', 'y'))
    check_records(records(points=[*GOOD, bad]), ('x', 'y'), allow_degenerate=True)
    ends_meet = np.concatenate([cloud(), cloud()[:1]])
    check_records(records(points=[*GOOD, ends_meet]), ('x', 'y'))
