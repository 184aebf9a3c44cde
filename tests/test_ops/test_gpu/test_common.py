import torch


def test_layouts(device):
    from pcdet_kd.ops.gpu.common import planes, power_of_2, rows

    points = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    assert (
        planes(points).shape == (2, 3, 5)
        and planes(points).is_contiguous()
        and not planes(points).requires_grad
    )
    assert torch.equal(planes(points)[1, 2], points.detach()[1, :, 2].float())
    assert rows(points.transpose(0, 1)).is_contiguous() and rows(points).dtype == torch.float32
    assert [power_of_2(n) for n in (1, 32, 33, 1000)] == [32, 32, 64, 1024]
    assert power_of_2(3, 16) == 16
