import pytest
import torch


@pytest.fixture(params=['in_registers', 'in_chunks'])
def memory(request, device, monkeypatch):
    if request.param == 'in_chunks':
        from pcdet_kd.ops.gpu import fps

        monkeypatch.setattr(fps, 'IN_REGISTERS', 0)
        monkeypatch.setattr(fps, 'CHUNK', 32)


def test_same_indices(same, memory, clouds):
    first = torch.tensor([3, 20])
    chosen = same('farthest_point_sample', clouds(77), first, 8, -1.0)
    assert chosen[:, 0].tolist() == first.tolist()


@pytest.mark.parametrize('near_origin', [1e-3, 0.5, 100.0])
def test_points_near_the_origin_are_passed_over(same, memory, near_origin):
    points = torch.randn(2, 40, 3, generator=torch.Generator().manual_seed(1)) * 0.5
    same('farthest_point_sample', points, torch.tensor([1, 2]), 9, near_origin)


def test_a_point_on_the_border_of_the_hole_is_in_it(same, memory):
    points = torch.tensor([[[0.0, 0, 1], [2, 0, 0], [0, -1, 0], [0, 1.5, 0], [-3, 0, 0]]])
    assert set(same('farthest_point_sample', points, torch.tensor([1]), 5, 1.0)[0].tolist()) == {
        1,
        3,
        4,
    }


@pytest.mark.parametrize('num_points', [1, 2, 32, 33])
def test_small_clouds(same, memory, num_points):
    points = torch.randn(3, num_points, 3, generator=torch.Generator().manual_seed(num_points))
    same(
        'farthest_point_sample',
        points,
        torch.zeros(3, dtype=torch.int64),
        min(num_points, 9),
        -1.0,
    )


def test_a_view_in_double_precision(same, device):
    points = torch.randn(
        2, 3, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    ).transpose(1, 2)
    same(
        'farthest_point_sample',
        points,
        torch.tensor([[5, 1], [6, 1]])[:, 0],
        6,
        -1.0,
    )
