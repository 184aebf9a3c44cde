import numpy as np
import pytest
import torch

from pcdet_kd.layers import FeaturePropagation, JoinedLinear


def interpolated(coords, other_coords, other):
    """Mean of the three nearest, weighted by 1 / (d^2 + 1e-8), in float64."""
    out = np.zeros((len(coords), other.shape[1]))
    for i, point in enumerate(coords):
        squared = ((other_coords - point) ** 2).sum(axis=1)
        nearest = np.argsort(squared, kind='stable')[:3]
        weight = 1 / (squared[nearest] + 1e-8)
        out[i] = (weight[:, None] * other[nearest]).sum(axis=0) / weight.sum()
    return out


def test_it_is_a_linear_layer_on_the_interpolated_and_own_features():
    torch.manual_seed(0)
    layer = JoinedLinear(4, 5, 6, norm=None, act='relu').double()
    coords, other_coords = torch.randn(1, 9, 3), torch.randn(1, 4, 3)
    own, other = torch.randn(1, 9, 4).double(), torch.randn(1, 4, 5).double()
    found = layer(own, other, coords, other_coords)
    spread = interpolated(
        coords[0].double().numpy(), other_coords[0].double().numpy(), other[0].numpy()
    )
    joined = np.hstack([own[0].numpy(), spread])
    weight, bias = layer.linear.weight.detach().numpy(), layer.linear.bias.detach().numpy()
    expected = np.maximum(joined @ weight.T + bias, 0)
    np.testing.assert_allclose(found[0].detach().numpy(), expected, atol=1e-6)


def test_features_of_the_cloud_reach_every_point():
    torch.manual_seed(0)
    layer = JoinedLinear(4, 5, 6, act='leaky_relu', bias=False).eval()
    own, other = torch.randn(2, 9, 4), torch.randn(2, 5)
    repeated = torch.cat([own, other[:, None].expand(-1, 9, -1)], dim=-1)
    torch.testing.assert_close(layer(own, other), layer.finish(layer.linear(repeated)))


def test_propagation_is_a_join_and_an_mlp():
    torch.manual_seed(0)
    layer = FeaturePropagation(4, 5, (8, 7, 6), bias=True)
    assert layer.out_channels == 6 and len(layer.mlp) == 2
    coords, other_coords = torch.randn(2, 9, 3), torch.randn(2, 4, 3)
    own = torch.randn(2, 9, 4, requires_grad=True)
    other = torch.randn(2, 4, 5, requires_grad=True)
    out = layer(own, other, coords, other_coords)
    assert out.shape == (2, 9, 6) and (out >= 0).all()
    out.square().sum().backward()
    assert own.grad.abs().sum() > 0 and other.grad.abs().sum() > 0
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize('compat', [None, 'pointnet2'])
def test_the_weights_of_interpolation_are_a_choice(compat):
    layer = JoinedLinear(1, 1, 1, compat, norm=None, act=None, bias=False)
    torch.nn.init.ones_(layer.linear.weight)
    coords = torch.tensor([[[0.0, 0, 0]]])
    other_coords = torch.tensor([[[1.0, 0, 0], [-2, 0, 0], [0, 4, 0]]])
    found = layer(torch.zeros(1, 1, 1), torch.tensor([[[1.0], [2], [4]]]), coords, other_coords)
    power = 1 if compat else 2
    weight = np.array([1, 2, 4.0]) ** -power
    assert found.item() == pytest.approx((weight * [1, 2, 4]).sum() / weight.sum(), rel=1e-5)
