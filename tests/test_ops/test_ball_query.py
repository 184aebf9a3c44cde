import itertools

import numpy as np
import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.ops.ball_query import _limit

RADII = np.random.default_rng(0).uniform(0.01, 3, 50).tolist()


def within(query, points, radius, k, strict=False, skip_copies=False):
    """float64 by the definition."""
    q, p = np.asarray(query, np.float64), np.asarray(points, np.float64)
    out = np.zeros((*q.shape[:2], k), np.int64)
    for b, s in np.ndindex(*q.shape[:2]):
        d = ((p[b] - q[b, s]) ** 2).sum(-1)
        hits = np.flatnonzero(
            (d < radius**2 if strict else d <= radius**2) & (d > 0 if skip_copies else True)
        )
        if len(hits):
            out[b, s] = hits[0]
            out[b, s, : len(hits[:k])] = hits[:k]
    return out


@pytest.fixture(params=['torch', 'numba'])
def backend(request):
    with ops.use(request.param):
        yield request.param


@pytest.mark.parametrize('num_points', [1, 31, 100])
@pytest.mark.parametrize('radius, k', [(0.3, 4), (1.1, 16), (9.0, 120)])
def test_definition(backend, num_points, radius, k):
    points = torch.randn(2, num_points, 3, generator=torch.Generator().manual_seed(num_points))
    query = points[:, :20] + 0.05
    index = ops.ball_query(query, points, radius, k)
    assert index.dtype == torch.int64
    np.testing.assert_array_equal(index, within(query, points, radius, k))


@pytest.mark.parametrize('compat', [None, 'pointnet2'])
@pytest.mark.parametrize('k', [1, 4, 8, 70])
def test_copies_of_a_query_are_skipped_and_take_no_place(backend, k, compat):
    draw = torch.Generator().manual_seed(k)
    points = torch.randn(2, 40, 3, generator=draw)[:, torch.randint(40, (60,), generator=draw)]
    query = torch.cat([points[:, :20], points[:, :3] + 0.05], 1)
    index = ops.ball_query(query, points, 1.1, k, compat, skip_copies=True)
    np.testing.assert_array_equal(
        index, within(query, points, 1.1, k, compat == 'pointnet2', skip_copies=True)
    )


def test_a_ball_of_nothing_but_copies_is_empty(backend):
    points = torch.tensor([[5.0, 0, 0], [1, 2, 3], [1, 2, 3], [1, 2, 3.25]])[None]
    query = points[:, 1:2]
    assert ops.ball_query(query, points, 0.2, 3, skip_copies=True).tolist() == [[[0, 0, 0]]]
    assert ops.ball_query(query, points, 0.2, 3).tolist() == [[[1, 2, 1]]]
    assert ops.ball_query(query, points, 0.25, 3, skip_copies=True).tolist() == [[[3, 3, 3]]]
    assert ops.ball_query(query, points, 1e-30, 3, skip_copies=True).tolist() == [[[0, 0, 0]]]
    assert ops.ball_query(query, points, 1e-30, 3, 'pointnet2', skip_copies=True).tolist() == [
        [[0, 0, 0]]
    ]


def test_the_border_belongs_to_the_ball_except_in_pointnet2(backend):
    points = torch.tensor([[0.0, 0, 0], [0.5, 0, 0], [0, 0.25, 0]])[None]
    query = points[:, :1]
    assert ops.ball_query(query, points, 0.5, 4).tolist() == [[[0, 1, 2, 0]]]
    assert ops.ball_query(query, points, 0.5, 4, compat='pointnet2').tolist() == [[[0, 2, 0, 0]]]


def test_an_empty_ball_gives_index_0(backend):
    points = torch.ones(1, 40, 3)
    assert ops.ball_query(torch.zeros(1, 2, 3), points, 1.0, 3).tolist() == [[[0, 0, 0], [0, 0, 0]]]


def test_padding_repeats_the_first_hit(backend):
    points = torch.tensor([[5.0, 0, 0], [0.1, 0, 0], [0, 0, 0.1]])[None]
    assert ops.ball_query(torch.zeros(1, 1, 3), points, 1.0, 5).tolist() == [[[1, 2, 1, 1, 1]]]


def test_back_ends_agree_on_ties_with_the_radius():
    points = (torch.rand(2, 400, 3, generator=torch.Generator().manual_seed(1)) * 6).round() / 6
    for compat in (None, 'pointnet2'):
        for radius in (1 / 6, 1 / 3, 0.5):
            with ops.use('torch'):
                expected = ops.ball_query(points, points, radius, 12, compat)
            with ops.use('numba'):
                assert torch.equal(ops.ball_query(points, points, radius, 12, compat), expected)


@pytest.mark.parametrize(
    'radius', [0.1, 0.2, 0.23, 0.4, 1.0, 2.0, 1e-3, 3e-20, 1e-23, 1e18, 0.7071067811865476, *RADII]
)
def test_the_limit_is_the_float32_number_above_the_squared_radius(radius):
    squared = np.float32(radius * radius)
    assert _limit(radius, True) == squared
    assert _limit(radius, False) == np.nextafter(squared, np.float32(np.inf))


@pytest.mark.parametrize('value', [torch.nan, -torch.nan, torch.inf, -torch.inf])
def test_values_that_nobody_looked_at_are_no_hits_and_never_padding(value):
    points = torch.rand(1, 70, 3, generator=torch.Generator().manual_seed(2))
    query = points[:, :5].clone()
    query[0, 1], query[0, 3, 2] = value, value
    for name, radius, skip in itertools.product(
        ('torch', 'numba'), (0.5, 1e25, 1e-30), (False, True)
    ):
        with ops.use(name, check_values=False):
            index = ops.ball_query(query, points, radius, 8, 'pointnet2', skip_copies=skip)
        assert index.min() >= 0 and index.max() < 70
        assert not index[0, [1, 3]].any() and bool(index[0, [0, 2, 4]].any()) == (radius > 0.1)


def test_a_radius_beyond_float32_holds_everything(backend):
    points = torch.rand(1, 9, 3, generator=torch.Generator().manual_seed(2))
    for radius in (1e19, 1e25, 1e200):
        assert ops.ball_query(points, points, radius, 9).tolist() == [[list(range(9))] * 9]
