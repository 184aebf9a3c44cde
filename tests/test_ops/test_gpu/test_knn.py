import pytest
import torch


@pytest.fixture(params=['in_registers', 'in_chunks'])
def memory(request, device, monkeypatch):
    if request.param == 'in_chunks':
        from pcdet_kd.ops.gpu import knn

        monkeypatch.setattr(knn, 'IN_REGISTERS', 0)
        monkeypatch.setattr(knn, 'CHUNK', 32)


def test_same_indices(same, memory, clouds):
    points = clouds(70)
    found = same('knn', points[:, 3:5], points, 7)
    assert len(found[0, 0].unique()) == 7


@pytest.mark.parametrize('num_points', [1, 2, 33])
def test_as_many_neighbours_as_points(same, memory, num_points):
    points = torch.randn(3, num_points, 3, generator=torch.Generator().manual_seed(num_points))
    found = same('knn', points[:, :1].half(), points, num_points)
    assert (found.sort(2).values == torch.arange(num_points)).all()


def test_features(same, memory):
    # whole numbers around 0 and a number of points that is a power of 2: every back end computes
    # without rounding
    draw = torch.Generator().manual_seed(0)
    half = torch.randint(-4, 5, (3, 32, 6), generator=draw).float()
    points = torch.cat([half, -half], 1)[:, torch.randperm(64, generator=draw)]
    same('knn', points[:, :3], points, 5)


def test_features_that_round(both, monkeypatch):
    from pcdet_kd.ops.gpu import knn

    monkeypatch.setattr(knn, 'MATRIX_BYTES', 1)  # one cloud at a time
    draw = torch.Generator().manual_seed(0)
    points = torch.randn(2, 50, 17, generator=draw) + 3
    query = torch.randn(2, 6, 17, generator=draw) + 3
    pairs = both('knn', query, points, 8)
    near = [
        torch.stack(
            [(p[i] - q[:, None]).double().square().sum(2) for q, p, i in zip(query, points, index)]
        )
        for (index,) in pairs
    ]
    torch.testing.assert_close(*near, rtol=1e-5, atol=0)


def test_what_is_not_a_number_has_neighbours_among_the_points(memory, device):
    """As ABSENT on a GPU, whose NaNs have these bits; check_values=False and compiled graphs let
    them pass.
    """
    from pcdet_kd.ops.gpu import knn

    matrix = torch.full((1, 2, 40), 0x7FFFFFFF, dtype=torch.int32, device=device).view(
        torch.float32
    )
    matrix[0, 1, 7] = 1.0
    found = torch.full((1, 2, 5), -1, device=device)
    knn.nearest(None, None, matrix, found, None, 40)
    assert found.min() >= 0 and found.max() < 40 and found[0, 1, 0] == 7
