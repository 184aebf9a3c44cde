import math

import torch

from pcdet_kd.losses import KoLeoLoss


def reference(x, eps=1e-6):
    """Row by row in float64."""
    x = [row / row.norm() for row in x.double()]
    total = 0.0
    for i, row in enumerate(x):
        nearest = min(float((row - other).norm()) for j, other in enumerate(x) if j != i)
        total -= math.log(nearest + eps)
    return total / len(x)


def test_it_is_the_distance_to_the_nearest_neighbour():
    torch.manual_seed(0)
    x = torch.randn(7, 5)
    loss = KoLeoLoss(loss_weight=0.5)
    assert abs(float(loss(x)) - 0.5 * reference(x)) < 1e-5
    views = torch.randn(7, 3, 5)
    expected = sum(reference(views[:, i]) for i in range(3)) / 3
    assert abs(float(loss(views)) - 0.5 * expected) < 1e-5


def test_embeddings_that_coincide_have_finite_gradients():
    x = torch.ones(4, 3, requires_grad=True)
    loss = KoLeoLoss()(x)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(x.grad).all()


def test_it_drives_apart():
    torch.manual_seed(0)
    x = torch.randn(6, 2, requires_grad=True)
    before = KoLeoLoss(1.0)(x)
    (grad,) = torch.autograd.grad(before, x)
    assert KoLeoLoss(1.0)(x - 0.01 * grad) < before
