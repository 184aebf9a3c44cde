"""Every back end gives the indices of one definition, in float32 NumPy, on every kind of cloud."""

import contextlib

import numpy as np
import pytest
import torch

from pcdet_kd import ops


def _clouds():
    """Return pairs (clouds, other clouds) by kind: (2, N, 3) and (2, M, 3) float32."""
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(2, 200, 3))
    surface = np.concatenate(
        [
            ball[:, :70] / np.linalg.norm(ball[:, :70], axis=2, keepdims=True),
            np.where(np.arange(3) == 2, 0.5, rng.uniform(-1, 1, (2, 70, 3))),
        ],
        axis=1,
    )
    kinds = {
        'random': (ball, rng.normal(size=(2, 90, 3))),
        'surface': (surface, surface[:, ::2] + 0.01),
        'lattice': (rng.integers(0, 4, (2, 150, 3)) / 3, rng.integers(0, 4, (2, 61, 3)) / 3),
        'duplicates': (ball[:, np.arange(130) % 9], ball[:, np.arange(64) % 5]),
        'one position': (np.full((2, 80, 3), 0.3), np.full((2, 70, 3), 0.3)),
        'collinear': (
            rng.uniform(size=(2, 100, 1)) * [[[1.0, 2, -3]]],
            rng.uniform(size=(2, 65, 1)) * [[[1.0, 2, -3]]],
        ),
        'a single point': (ball[:, :1], ball[:, 3:4]),
        'far away': (ball + 1000, ball[:, :75] + 1000),
        'very far away': (np.round(ball * 8) * 1e4 + 1e6, np.round(ball[:, :75] * 8) * 1e4 + 1e6),
        'tiny': (ball * 1e-22, ball[:, :75] * 1e-22),  # squares below the smallest float32
    }
    return {
        name: tuple(torch.from_numpy(c.astype(np.float32)) for c in pair)
        for name, pair in kinds.items()
    }


CLOUDS = _clouds()


def squares(query, points):
    """(S, N) float32, in the order that all kernels keep to."""
    d = points[None] - query[:, None]
    d *= d
    return (d[..., 0] + d[..., 1]) + d[..., 2]


def sample(points, m, hole=False):
    nearest = np.full(len(points), np.inf, np.float32)
    if hole:
        nearest[squares(np.zeros((1, 3), np.float32), points)[0] <= np.float32(1e-3)] = -1
    chosen = [0]
    while len(chosen) < m:
        nearest = np.minimum(nearest, squares(points[chosen[-1:]], points)[0])
        chosen.append(int(nearest.argmax()))
    return chosen


def neighbours(query, points, k):
    return squares(query, points).argsort(1, kind='stable')[:, :k]


def within(query, points, radius, k, strict=False, skip_copies=False):
    d, limit = squares(query, points), np.float32(radius * radius)
    found = (d < limit if strict else d <= limit) & (d > 0 if skip_copies else True)
    hits = [np.flatnonzero(row)[:k] for row in found]
    return [np.pad(h, (0, k - len(h)), constant_values=h[0] if len(h) else 0) for h in hits]


def radius_of(points):
    """A radius that about a tenth of the pairs of a cloud keep to; some of them lie on the border
    exactly.
    """
    cloud = points[0].float().cpu().numpy()
    d = squares(cloud, cloud).ravel()
    return max(float(np.sort(d)[len(d) // 10]) ** 0.5, 1e-3)


# By name: the call on (clouds, others), and the definition for one cloud: (cloud, other).
OPS = {
    'farthest_point_sample': (
        lambda x, y: ops.farthest_point_sample(x, min(40, x.shape[1])),
        lambda x, y: sample(x, min(40, len(x))),
    ),
    'farthest_point_sample, pointnet2': (
        lambda x, y: ops.farthest_point_sample(x, min(20, x.shape[1]), compat='pointnet2'),
        lambda x, y: sample(x, min(20, len(x)), hole=True),
    ),
    'knn': (
        lambda x, y: ops.knn(y, x, min(17, (x.shape[1] + 1) // 2)),
        lambda x, y: neighbours(y, x, min(17, (len(x) + 1) // 2)),
    ),
    'knn, one': (lambda x, y: ops.knn(x, x, 1), lambda x, y: neighbours(x, x, 1)),
    'knn, half': (
        lambda x, y: ops.knn(x, x, (x.shape[1] + 1) // 2),
        lambda x, y: neighbours(x, x, (len(x) + 1) // 2),
    ),
    'ball_query': (
        lambda x, y: ops.ball_query(y, x, radius_of(x), 9),
        lambda x, y: within(y, x, radius_of(torch.from_numpy(x)[None]), 9),
    ),
    'ball_query, skip_copies': (
        lambda x, y: ops.ball_query(x, x, radius_of(x), 9, compat='pointnet2', skip_copies=True),
        lambda x, y: within(
            x, x, radius_of(torch.from_numpy(x)[None]), 9, strict=True, skip_copies=True
        ),
    ),
    'three_nn': (
        lambda x, y: torch.ops.pcdet_kd.three_nn(y, x)[0],
        lambda x, y: np.pad(neighbours(y, x, 3), ((0, 0), (0, max(0, 3 - len(x)))), mode='edge'),
    ),
    'nearest_pairs': (
        lambda x, y: torch.cat(torch.ops.pcdet_kd.nearest_pairs(y, x), 1),
        lambda x, y: np.append(squares(y, x).argmin(1), squares(x, y).argmin(1)),
    ),
}


@pytest.fixture(params=['torch', 'numba'] + ['cuda'] * torch.cuda.is_available())
def device(request):
    """The device of a back end, which is chosen."""
    with ops.use('triton' if request.param == 'cuda' else request.param):
        yield 'cuda' if request.param == 'cuda' else 'cpu'


@pytest.fixture(params=['float32', 'bfloat16', 'float16'])
def precision(request, device):
    """Autocast to half precision, which must not reach coordinates."""
    dtype = getattr(torch, request.param)
    with contextlib.nullcontext() if dtype == torch.float32 else torch.autocast(device, dtype):
        yield dtype


@pytest.mark.parametrize('kind', CLOUDS)
@pytest.mark.parametrize('op', OPS)
def test_indices(op, kind, device, precision):
    call, define = OPS[op]
    x, y = CLOUDS[kind]
    if op.startswith('ball_query'):  # the radius depends on the cloud
        x, y = x[:1].expand_as(x), y[:1].expand_as(y)
    expected = np.stack([np.asarray(define(p, q)) for p, q in zip(x.numpy(), y.numpy())])
    found = call(x.to(device), y.to(device))
    assert found.dtype == torch.int64
    np.testing.assert_array_equal(found.cpu(), expected)


@pytest.mark.parametrize('threads', [1, 2, 5])
@pytest.mark.parametrize('op', OPS)
def test_one_large_cloud_on_any_number_of_threads(op, threads, monkeypatch):
    monkeypatch.setattr(torch, 'get_num_threads', lambda: threads)
    x = torch.rand(1, 700, 3, generator=torch.Generator().manual_seed(0))
    call, define = OPS[op]
    with ops.use('numba'):
        found = call(x, x.flip(1))
    np.testing.assert_array_equal(found[0], define(x[0].numpy(), x[0].flip(0).numpy()))


def test_half_precision_coordinates_are_what_they_are(device):
    x, y = CLOUDS['random']
    for dtype in (torch.bfloat16, torch.float16):
        for call, _ in OPS.values():
            half = call(x.to(device, dtype), y.to(device, dtype))
            assert torch.equal(
                half, call(x.to(dtype).float().to(device), y.to(dtype).float().to(device))
            )
