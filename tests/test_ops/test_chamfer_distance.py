import numpy as np
import pytest
import torch

from pcdet_kd import ops


def chamfer(x, y, squared):
    """float64 by the definition, from the full matrix."""
    d = torch.cdist(x.double(), y.double(), compute_mode='donot_use_mm_for_euclid_dist')
    d = d**2 if squared else d
    return d.amin(2).mean(1) + d.amin(1).mean(1)


@pytest.mark.parametrize('backend', ['torch', 'numba'])
@pytest.mark.parametrize('squared', [True, False])
@pytest.mark.parametrize('sizes', [(1, 1), (30, 30), (12, 45)])
def test_definition(backend, squared, sizes):
    x, y = torch.randn(3, sizes[0], 3), torch.randn(3, sizes[1], 3)
    with ops.use(backend):
        np.testing.assert_allclose(
            ops.chamfer_distance(x, y, squared), chamfer(x, y, squared), rtol=1e-5
        )


@pytest.mark.parametrize('squared', [True, False])
def test_gradients_reach_both_clouds(squared):
    x, y = (torch.randn(2, n, 3, dtype=torch.float64, requires_grad=True) for n in (6, 9))
    assert torch.autograd.gradcheck(lambda a, b: ops.chamfer_distance(a, b, squared), (x, y))


def test_equal_clouds():
    x = torch.randn(1, 20, 3, requires_grad=True)
    distance = ops.chamfer_distance(x, x.detach().flip(1), squared=False)
    distance.sum().backward()
    assert distance.item() == pytest.approx(2e-6)
    assert torch.equal(x.grad, torch.zeros_like(x))


@pytest.mark.parametrize('batch', [1, 3])
def test_threads_change_nothing(batch, monkeypatch):
    x, y = (
        torch.randint(0, 4, (batch, n, 3), generator=torch.Generator().manual_seed(n)).float()
        for n in (300, 170)
    )
    with ops.use('torch'):
        expected = torch.ops.pcdet_kd.nearest_pairs(x, y)
    for threads in (1, 3):
        monkeypatch.setattr(torch, 'get_num_threads', lambda n=threads: n)
        with ops.use('numba'):
            found = torch.ops.pcdet_kd.nearest_pairs(x, y)
        assert all(torch.equal(a, b) for a, b in zip(found, expected))
