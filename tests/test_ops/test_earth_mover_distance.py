import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from pcdet_kd import ops


def test_definition():
    x, y = torch.randn(3, 40, 3), torch.randn(3, 40, 3)
    costs = [cdist(a.double(), b.double()) for a, b in zip(x, y)]
    pairs = np.array([c[linear_sum_assignment(c)] for c in costs])
    np.testing.assert_allclose(ops.earth_mover_distance(x, y), pairs.mean(1), rtol=1e-4)
    np.testing.assert_allclose(ops.earth_mover_distance(x, y, 'sum'), pairs.sum(1), rtol=1e-4)
    np.testing.assert_allclose(
        ops.earth_mover_distance(x, y, squared=True), (pairs**2).mean(1), rtol=1e-3
    )


def test_a_shift_moves_every_point():
    x = torch.randn(2, 30, 3)
    shift = (
        torch.tensor([3.0, 0, 4.0]) * 1e-4
    )  # small against the spacing, so that each point meets its own image
    np.testing.assert_allclose(
        ops.earth_mover_distance(x, x.flip(1) + shift), [5e-4, 5e-4], rtol=1e-3
    )


@pytest.mark.parametrize('reduction', ['mean', 'sum'])
@pytest.mark.parametrize('squared', [True, False])
def test_gradients_reach_both_clouds(reduction, squared):
    x, y = (torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(
        lambda a, b: ops.earth_mover_distance(a, b, reduction, squared), (x, y)
    )


def test_coinciding_points_have_a_finite_gradient():
    x = torch.randn(1, 9, 3, requires_grad=True)
    distance = ops.earth_mover_distance(x, x.detach())
    distance.sum().backward()
    assert distance.item() == pytest.approx(1e-6)
    assert torch.equal(x.grad, torch.zeros_like(x))


def test_match_arguments_are_passed_on():
    x, y = torch.rand(1, 60, 3), torch.rand(1, 60, 3)
    match = ops.emd_match(x, y, compat='msn', eps=0.2, iterations=7)
    expected = (x - ops.group(y, match)).norm(dim=2).mean(1)
    torch.testing.assert_close(
        ops.earth_mover_distance(x, y, compat='msn', eps=0.2, iterations=7), expected
    )


def test_exact():
    x, y = torch.rand(1, 60, 3), torch.rand(1, 60, 3)
    match = ops.emd_match(x, y, exact=True)
    torch.testing.assert_close(
        ops.earth_mover_distance(x, y, exact=True, eps=0.5),
        (x - y[:, match[0]]).norm(dim=2).mean(1),
    )


def test_the_graph_holds_nothing_of_size_n_times_n():
    x, y = (torch.rand(1, 300, 3, requires_grad=True) for _ in range(2))
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: sizes.append(t.numel()) or t, lambda t: t
    ):
        ops.earth_mover_distance(x, y)
    assert 0 < max(sizes) <= x.numel()
