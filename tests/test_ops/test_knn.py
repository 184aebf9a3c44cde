import numpy as np
import pytest
import torch

from pcdet_kd import ops


def nearest(query, points, k):
    """float64 by the definition; ties to the lowest index."""
    q, p = np.asarray(query, np.float64), np.asarray(points, np.float64)
    return ((q[:, :, None] - p[:, None]) ** 2).sum(-1).argsort(-1, kind='stable')[..., :k]


@pytest.fixture(params=['torch', 'numba'])
def backend(request):
    with ops.use(request.param):
        yield request.param


@pytest.mark.parametrize('channels', [1, 2, 3, 16])
@pytest.mark.parametrize(
    'num_queries, num_points, k', [(1, 1, 1), (7, 5, 5), (20, 90, 20), (3, 200, 1)]
)
def test_definition(backend, channels, num_queries, num_points, k):
    generator = torch.Generator().manual_seed(num_points)
    query = torch.randn(3, num_queries, channels, generator=generator)
    points = torch.randn(3, num_points, channels, generator=generator)
    index = ops.knn(query, points, k)
    assert index.dtype == torch.int64
    np.testing.assert_array_equal(index, nearest(query, points, k))


@pytest.mark.parametrize('channels', [3, 4])
def test_the_lowest_index_wins_on_ties(backend, channels):
    points = torch.randint(
        0, 3, (2, 60, channels), generator=torch.Generator().manual_seed(0)
    ).float()
    points = torch.cat([points, -points], 1)  # mean 0: distances of features are exact too
    np.testing.assert_array_equal(ops.knn(points, points, 30), nearest(points, points, 30))
    same = torch.full((1, 70, channels), 0.3)
    assert torch.equal(ops.knn(same, same, 70), torch.arange(70).expand(1, 70, 70))


def test_far_from_the_origin(backend):
    points = (
        torch.randint(0, 50, (1, 80, 3), generator=torch.Generator().manual_seed(2)) / 64 + 1000.0
    )
    np.testing.assert_array_equal(ops.knn(points, points, 9), nearest(points, points, 9))


def test_features_with_a_large_common_part(backend):
    features = torch.randn(1, 60, 8, generator=torch.Generator().manual_seed(3)) + 300
    np.testing.assert_array_equal(ops.knn(features, features, 4), nearest(features, features, 4))


@pytest.mark.parametrize('channels', [3, 6])
def test_back_ends_agree(channels):
    points = torch.rand(2, 600, channels, generator=torch.Generator().manual_seed(1))
    with ops.use('torch'):
        expected = ops.knn(points[:, :100], points, 20)
    with ops.use('numba'):
        assert torch.equal(ops.knn(points[:, :100], points, 20), expected)


def test_autocast_does_not_change_the_features(backend):
    features = torch.randn(1, 60, 8, generator=torch.Generator().manual_seed(3))
    expected = ops.knn(features, features, 6)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(ops.knn(features, features, 6), expected)


@pytest.mark.parametrize('products', [1, 3000, 20000])
def test_features_in_parts(products, monkeypatch):
    from pcdet_kd.ops.cpu import neighbors

    features = torch.randn(3, 150, 12, generator=torch.Generator().manual_seed(4))
    with ops.use('torch'):
        expected = ops.knn(features[:, :100], features, 11)
    monkeypatch.setattr(neighbors, 'PRODUCTS', products)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 2)
    with ops.use('numba'):
        assert torch.equal(ops.knn(features[:, :100], features, 11), expected)
