"""EdgeConv without edges against the form that makes them all."""

import copy

import pytest
import torch
from torch import nn

from pcdet_kd.layers import EdgeConv
from pcdet_kd.ops import use


def layer(in_channels=5, out_channels=7, k=4, dtype=torch.float64, **kwargs):
    """A layer with weights of both signs, and running statistics that are not those of a new
    one.
    """
    torch.manual_seed(0)
    net = EdgeConv(in_channels, out_channels, k, **kwargs).to(dtype)
    with torch.no_grad():
        if net.norm.affine:
            net.norm.weight.normal_()
            net.norm.bias.normal_()
        if net.norm.track_running_stats:
            net.norm.running_mean.normal_()
            net.norm.running_var.uniform_(0.5, 2)
    return net


def run(net, x, fused, grad):
    """Output, gradients and buffers of one step."""
    net = copy.deepcopy(net)
    net.fused = fused
    x = x.clone().requires_grad_(True)
    out = net(x)
    out.backward(grad.to(out.dtype))
    results = dict(
        output=out.detach(),
        x=x.grad,
        **{f'grad of {key}': p.grad for key, p in net.named_parameters()},
    )
    return {
        **results,
        **{key: buffer for key, buffer in net.named_buffers() if buffer.is_floating_point()},
    }


def compare(net, x, rtol=1e-9, atol=1e-9):
    grad = torch.randn(
        *x.shape[:2],
        net.linear.out_features,
        generator=torch.Generator().manual_seed(5),
        dtype=torch.float64,
    )
    ordinary, fused = run(net, x, False, grad), run(net, x, True, grad)
    assert ordinary.keys() == fused.keys()
    for key, value in ordinary.items():
        torch.testing.assert_close(
            fused[key], value, rtol=rtol, atol=atol, msg=lambda m, key=key: f'{key}: {m}'
        )


def cloud(batch=3, points=21, channels=5, dtype=torch.float64):
    return torch.randn(
        batch, points, channels, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    ).to(dtype)


@pytest.mark.parametrize('backend', ['torch', 'numba'])
@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('bias', [True, False])
def test_equals_the_ordinary_form(backend, training, bias):
    with use(backend):
        compare(layer(bias=bias).train(training), cloud())


@pytest.mark.parametrize('training', [True, False])
def test_equals_the_ordinary_form_in_float32(training):
    compare(
        layer(16, 32, 20, torch.float32).train(training),
        cloud(4, 256, 16, torch.float32),
        1e-4,
        2e-4,
    )


@pytest.mark.parametrize(
    'options',
    [
        dict(affine=False),
        dict(track_running_stats=False),
        dict(momentum=None),
        dict(momentum=0.7, eps=0.1),
    ],
)
@pytest.mark.parametrize('training', [True, False])
def test_other_settings_of_batch_norm(options, training):
    net = layer()
    net.norm = nn.BatchNorm1d(7, **options).double()
    for _ in range(2):
        compare(net.train(training), cloud())
        net.train()(cloud())
    assert net.norm.num_batches_tracked is None or net.norm.num_batches_tracked == 2


@pytest.mark.parametrize('slope', [0.0, 0.2, 1.0])
def test_slope(slope):
    compare(layer(negative_slope=slope), cloud())


def test_given_neighbours():
    net, x = layer(), cloud()
    index = torch.randint(21, (3, 21, 6), generator=torch.Generator().manual_seed(2))
    expected = copy.deepcopy(net)
    expected.fused = False
    torch.testing.assert_close(net(x, index), expected(x, index))
    assert not torch.allclose(net(x, index), net(x))


@pytest.mark.parametrize('points', [1, 3])
def test_a_cloud_with_fewer_points_uses_all(points):
    net, x = layer(k=20), cloud(points=points)
    compare(net, x)
    everyone = torch.arange(points).expand(3, points, points)
    torch.testing.assert_close(net.eval()(x), net(x, everyone))


def test_gamma_zero_leaves_beta():
    net, x = layer(), cloud()
    net.norm.weight.data[:3] = 0
    out = net(x)
    torch.testing.assert_close(
        out[..., :3], nn.functional.leaky_relu(net.norm.bias[:3], 0.2).expand(3, 21, 3)
    )
    out.sum().backward()
    assert torch.isfinite(net.norm.weight.grad).all()


def test_the_definition():
    net, x = layer(bias=True).eval(), cloud(2, 9)
    out = net(x)
    for b in range(2):
        for i in range(9):
            nearest = (x[b] - x[b, i]).square().sum(-1).argsort(stable=True)[:4]
            edges = torch.stack([torch.cat([x[b, j] - x[b, i], x[b, i]]) for j in nearest])
            torch.testing.assert_close(
                out[b, i], nn.functional.leaky_relu(net.norm(net.linear(edges)), 0.2).max(0).values
            )


def test_variance_of_edges_that_cancel():
    """Features with a large common part: E[e^2] - E[e]^2 in float32 would have no correct digit."""
    net = layer(dtype=torch.float32)
    x = cloud(4, 64) + 300
    exact = copy.deepcopy(net).double()
    exact.fused = False
    for model in (net, exact):
        model.norm.running_var.zero_()
        model.linear.weight.data[:, 5:] *= 1e-3
    net(x.float()), exact(x.float().double())
    torch.testing.assert_close(
        net.norm.running_var.double(), exact.norm.running_var, rtol=2e-3, atol=0
    )


def test_second_gradients():
    net = layer(2, 3, 3)
    assert torch.autograd.gradgradcheck(
        lambda x: net(x, torch.tensor([[[0, 1, 2], [1, 2, 0], [2, 0, 1]]] * 2)),
        cloud(2, 3, 2).requires_grad_(True),
    )


def test_autocast_computes_in_float32():
    net, x = layer(dtype=torch.float32), cloud(dtype=torch.float32)
    expected = copy.deepcopy(net)(x)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = net(x)
    assert out.dtype == torch.float32 and torch.equal(out, expected)
    assert net(x.bfloat16()).dtype == torch.float32


def test_one_row_in_training():
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        layer()(cloud(1, 1))
    assert layer().eval()(cloud(1, 1)).shape == (1, 1, 7)


def test_another_normalisation_takes_the_ordinary_form():
    net = layer(dtype=torch.float32)
    net.norm = nn.LayerNorm(7)
    assert net(cloud(dtype=torch.float32)).shape == (3, 21, 7)


def test_memory_of_edges_is_not_used():
    net, x = layer(3, 64, 20, torch.float32), cloud(2, 256, 3, torch.float32).requires_grad_(True)
    largest = 0

    def note(tensor):
        nonlocal largest
        largest = max(largest, tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        net(x).sum().backward()
    assert 0 < largest <= 2 * 256 * 64


def test_state_is_that_of_a_linear_and_a_batch_norm():
    assert {key: tuple(value.shape) for key, value in layer().state_dict().items()} == {
        'linear.weight': (7, 10),
        'norm.weight': (7,),
        'norm.bias': (7,),
        'norm.running_mean': (7,),
        'norm.running_var': (7,),
        'norm.num_batches_tracked': (),
    }
    with pytest.raises(ValueError, match='negative_slope is -1'):
        EdgeConv(3, 4, negative_slope=-1)
