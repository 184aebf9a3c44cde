import numpy as np
import pytest
import torch

from pcdet_kd import ops


def farthest_points(points, num_samples, start, skip=()):
    """float64 by the definition; ties to the lowest index."""
    points = np.asarray(points, np.float64)
    chosen = [start]
    while len(chosen) < num_samples:
        d = ((points[:, None] - points[chosen]) ** 2).sum(-1).min(1)
        d[list(skip)] = -1
        chosen.append(int(d.argmax()))
    return chosen


@pytest.fixture(params=['torch', 'numba'])
def backend(request):
    with ops.use(request.param):
        yield request.param


@pytest.mark.parametrize(
    'num_points, num_samples, start',
    [(1, 1, 0), (2, 2, 1), (50, 20, 7), (300, 40, 299), (700, 5, 0)],
)
def test_definition(backend, num_points, num_samples, start):
    points = torch.randn(3, num_points, 3, generator=torch.Generator().manual_seed(num_points))
    index = ops.farthest_point_sample(points, num_samples, start)
    assert index.dtype == torch.int64
    assert index.tolist() == [farthest_points(p, num_samples, start) for p in points]


def test_the_lowest_index_wins_on_ties(backend):
    lattice = torch.stack(torch.meshgrid(*[torch.arange(7.0)] * 3, indexing='ij'), -1).reshape(
        1, -1, 3
    )
    assert ops.farthest_point_sample(lattice, 60).tolist() == [farthest_points(lattice[0], 60, 0)]


def test_fewer_positions_than_samples(backend):
    points = torch.tensor([[1.0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 0, 0]])[None]
    assert ops.farthest_point_sample(points, 4).tolist() == [[0, 2, 0, 0]]


def test_pointnet2_passes_over_points_near_the_origin(backend):
    points = torch.tensor([[0.0, 0, 0], [0.03, 0, 0], [0.032, 0, 0], [1, 0, 0], [0, 0.02, 0.02]])[
        None
    ]
    assert ops.farthest_point_sample(points, 5)[0].tolist() == farthest_points(points[0], 5, 0)
    # squared norms: 0, 9e-4, 1.02e-3, 1, 8e-4
    assert ops.farthest_point_sample(points, 3, compat='pointnet2').tolist() == [[0, 3, 2]]
    expected = farthest_points(points[0], 3, 1, skip=(0, 1, 4))
    assert ops.farthest_point_sample(points, 3, 1, compat='pointnet2').tolist() == [expected]
    # nothing to choose from: point 0, as in the CUDA kernel
    assert ops.farthest_point_sample(points * 0.01, 3, 2, compat='pointnet2').tolist() == [
        [2, 0, 0]
    ]
    assert ops.farthest_point_sample(
        torch.zeros(1, 3073, 3), 3, 2, compat='pointnet2'
    ).tolist() == [[2, 0, 0]]


@pytest.mark.parametrize('num_points', [5, 3500])
def test_a_point_on_the_border_of_the_hole_is_in_it(backend, num_points):
    norm = torch.tensor(1e-3)  # the border, as float32
    points = torch.zeros(1, num_points, 3)
    points[0, :3, 0] = torch.tensor([1.0, -1.0, 0.0])
    points[0, 2] = on_border = point_of_squared_norm(norm)
    squares = on_border * on_border
    assert (squares[0] + squares[1]) + squares[2] == norm
    # without the hole it is the third, and the others are nearer to the origin or there
    assert ops.farthest_point_sample(points, 4)[0, :2].tolist() == [0, 1]
    assert 2 not in ops.farthest_point_sample(points, 4, compat='pointnet2')[0].tolist()


def point_of_squared_norm(norm):
    """Return (3,) float32 whose squared norm, summed as the kernels do, is ``norm`` exactly."""
    x = norm.sqrt()
    for steps in range(1, 4096):
        below = x * (1 - steps * 2.0**-20)
        y = (norm - below * below).sqrt()
        if below * below + y * y == norm:
            return torch.stack([below, y, torch.zeros_like(x)])
    raise AssertionError('no such point')


def test_back_ends_agree_bit_for_bit():
    points = torch.rand(2, 1500, 3, generator=torch.Generator().manual_seed(1)) - 0.5
    for compat in (None, 'pointnet2'):
        with ops.use('torch'):
            expected = ops.farthest_point_sample(points, 300, 3, compat)
        with ops.use('numba'):
            assert torch.equal(ops.farthest_point_sample(points, 300, 3, compat), expected)


@pytest.mark.parametrize(
    'kind', ['uniform', 'lattice', 'duplicates', 'line', 'outlier', 'near the origin']
)
@pytest.mark.parametrize('num_points', [1, 64, 65, 1000])
def test_blocks_change_nothing(kind, num_points, monkeypatch):
    from pcdet_kd.ops.cpu import fps

    points = torch.rand(2, num_points, 3, generator=torch.Generator().manual_seed(num_points)) - 0.5
    if kind == 'lattice':
        points = (points * 6).round()
    elif kind == 'duplicates':
        points = points[:, torch.arange(num_points) % 7 % num_points]
    elif kind == 'line':
        points = points[..., :1].expand(-1, -1, 3) + 100
    elif kind == 'outlier':
        points[:, num_points // 2] = 1e4
    elif kind == 'near the origin':
        points *= 0.08
    m = min(num_points, 200)
    for compat in (None, 'pointnet2'):
        with ops.use('torch'):
            expected = ops.farthest_point_sample(points, m, 0, compat)
        monkeypatch.setattr(fps, 'BLOCKS_FROM', 1)
        with ops.use('numba'):
            assert torch.equal(ops.farthest_point_sample(points, m, 0, compat), expected)


def test_blocks_of_a_large_cloud_change_nothing():
    points = torch.rand(1, 6000, 3, generator=torch.Generator().manual_seed(0))
    points[..., 2] *= 0.01
    with ops.use('torch'):
        expected = ops.farthest_point_sample(points, 1500)
    with ops.use('numba'):
        assert torch.equal(ops.farthest_point_sample(points, 1500), expected)


@pytest.mark.parametrize('flat', [0, 1, 2], ids=['solid', 'plane', 'line'])
def test_no_bound_of_a_block_is_above_a_distance(flat):
    from pcdet_kd.ops.cpu import fps

    rng = np.random.default_rng(0)
    points = rng.normal(size=(640, 3)).astype(np.float32)
    points[:, 3 - flat :] = 0.1
    order, coords = np.empty((10, 64), np.int32), np.empty((3, 10, 64), np.float32)
    boxes, bounds, blocks = (
        np.empty((6, 10), np.float32),
        np.empty(10, np.int32),
        np.empty(11, np.int32),
    )
    fps.cut_blocks(points, fps.curve(), order, coords, boxes)
    assert (
        sorted(order.ravel()) == list(range(640))
        and (points[order].transpose(2, 0, 1) == coords).all()
    )
    for centre in np.append(points, rng.normal(size=(300, 3)) * 2, axis=0).astype(np.float32):
        d = coords - centre[:, None, None]
        d *= d
        nearest = ((d[0] + d[1]) + d[2]).min(1).view(np.int32)
        # in a plane and on a line the bound is often the distance itself
        assert fps.blocks_to_lower(boxes, *centre, nearest + np.int32(1), bounds, blocks) == 10


def test_the_curve_of_the_blocks_visits_neighbouring_cells():
    from pcdet_kd.ops.cpu import fps

    place = fps.curve()
    cells = np.stack(np.unravel_index(place.argsort(), (1 << fps.BITS,) * 3))
    assert sorted(place) == list(range(place.size))
    assert (abs(np.diff(cells)).sum(0) == 1).all()


def test_random_starts_come_from_torchs_generator(backend):
    points = torch.randn(64, 30, 3)
    torch.manual_seed(5)
    a = ops.farthest_point_sample(points, 3, 'random')
    torch.manual_seed(5)
    assert torch.equal(ops.farthest_point_sample(points, 3, 'random'), a)
    assert a[:, 0].unique().numel() > 15
    assert a[11].tolist() == farthest_points(points[11], 3, int(a[11, 0]))


def test_strided_half_precision_and_graph(backend):
    points = torch.randn(2, 3, 40).transpose(1, 2).requires_grad_()
    index = ops.farthest_point_sample(points, 10)
    assert not index.requires_grad
    assert torch.equal(ops.farthest_point_sample(points.detach().contiguous(), 10), index)
    half = points.detach().bfloat16()
    assert torch.equal(
        ops.farthest_point_sample(half, 10), ops.farthest_point_sample(half.double(), 10)
    )
