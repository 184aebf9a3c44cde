import pytest
import torch


def test_same_points_and_distances(same, clouds):
    points = clouds(70)
    same('three_nn', points[:, 2:9] * 1.01, points)


@pytest.mark.parametrize('in_registers', [0, 2048])
def test_fewer_than_three_points(same, device, monkeypatch, in_registers):
    from pcdet_kd.ops.gpu import knn

    monkeypatch.setattr(knn, 'IN_REGISTERS', in_registers)
    points = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    for num_points in (1, 2, 3):
        index, squared = same('three_nn', points, points[:, :num_points])
        assert index.max() < num_points and squared.isinf().any() == (num_points < 3)
