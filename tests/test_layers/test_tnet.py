"""PointNet's alignment network and its regulariser."""

import torch

from pcdet_kd.layers import TNet, orthogonality_loss


def test_identity_plus_correction():
    net = TNet(3, 3, (8, 16), (8,))
    torch.nn.init.zeros_(net.last.weight)
    net.last.bias.data = torch.arange(9.0)
    expected = torch.eye(3) + torch.arange(9.0).view(3, 3)
    torch.testing.assert_close(net(torch.randn(2, 5, 3)), expected.expand(2, 3, 3))


def test_does_not_depend_on_the_order_of_points():
    net = TNet(4, 3, (8, 16), (8,)).eval()
    points = torch.randn(2, 6, 3)
    torch.testing.assert_close(net(points), net(points.flip(1)))


def test_orthogonality_loss_reference():
    torch.manual_seed(0)
    a = torch.randn(3, 4, 4, dtype=torch.float64)
    expected = (
        sum(float(torch.linalg.matrix_norm(m @ m.T - torch.eye(4, dtype=torch.float64))) for m in a)
        / 3
    )
    assert abs(float(orthogonality_loss(a)) - expected) < 1e-12


def test_orthogonality_loss_of_a_rotation_is_zero_with_zero_gradient():
    a = torch.eye(4).flip(0).expand(2, 4, 4).clone().requires_grad_()
    loss = orthogonality_loss(a)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(a.grad, torch.zeros_like(a))


def test_orthogonality_loss_is_computed_in_float32_under_autocast():
    a = torch.eye(8) + 0.001 * torch.ones(8, 8)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = orthogonality_loss(a[None])
    assert value.dtype == torch.float32
    torch.testing.assert_close(
        value.double(), orthogonality_loss(a[None].double()), rtol=1e-4, atol=0
    )
