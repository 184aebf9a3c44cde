import torch

from pcdet_kd.ops.knn import knn_torch


def test_same_pairs(device, clouds, lengths):
    from pcdet_kd.ops.gpu.nearest_pairs import nearest_pairs
    x, y = clouds(70), clouds(70).flip(1)[:, :41] * 0.9
    sizes = lengths(70), lengths(41)
    found = nearest_pairs(*(None if v is None else v.to(device) for v in (x, y, *sizes)))
    assert torch.equal(found[0].cpu(), knn_torch(x, y, sizes[1], 1)[..., 0])
    assert torch.equal(found[1].cpu(), knn_torch(y, x, sizes[0], 1)[..., 0])


def test_one_point(device):
    from pcdet_kd.ops.gpu.nearest_pairs import nearest_pairs
    found = nearest_pairs(torch.zeros(1, 1, 3, device=device), torch.ones(1, 2, 3, device=device), None, None)
    assert [t.tolist() for t in found] == [[[0]], [[0, 0]]]
