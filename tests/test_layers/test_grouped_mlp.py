"""The fused forms of an MLP on neighbours against the plain one."""

import copy

import pytest
import torch
from torch import nn

from pcdet_kd.layers import MLP
from pcdet_kd.layers.grouped_mlp import grouped_mlp, pooled_mlp
from pcdet_kd.layers.pooling import max_pool
from pcdet_kd.ops import use

B, N, M, K, C = 3, 30, 11, 5, 4


def network(widths=(6, 8, 7), channels=C, dtype=torch.float64, **kwargs):
    """An MLP with weights of both signs, and running statistics that are not those of a new one."""
    torch.manual_seed(0)
    net = MLP([3 + channels, *widths], **kwargs).to(dtype)
    for layer in net:
        if isinstance(layer.norm, nn.BatchNorm1d):
            with torch.no_grad():
                layer.norm.weight.normal_()
                layer.norm.bias.normal_()
                layer.norm.running_mean.normal_()
                layer.norm.running_var.uniform_(0.5, 2)
    return net


def clouds(channels=C, dtype=torch.float64, offset=0.0):
    generator = torch.Generator().manual_seed(1)
    coords = torch.rand(B, N, 3, generator=generator, dtype=torch.float64) + offset
    features = (
        torch.randn(B, N, channels, generator=generator, dtype=torch.float64) if channels else None
    )
    index = torch.randint(N, (B, M, K), generator=generator)
    return (
        coords.to(dtype),
        coords[:, :M].clone().to(dtype),
        None if features is None else features.to(dtype),
        index,
    )


def run(net, inputs, fused):
    """Output, gradients and running statistics of one step."""
    net = copy.deepcopy(net)
    *tensors, index = inputs
    tensors = [None if t is None else t.clone().requires_grad_(True) for t in tensors]
    out = grouped_mlp(net, *tensors, index, fused)
    weights = torch.randn(
        out.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    ).to(out.dtype)
    (out * weights).sum().backward()
    named = dict(
        output=out.detach(),
        **{f'grad of {n}': t.grad for n, t in zip(('x', 'c', 'f'), tensors) if t is not None},
    )
    return {
        **named,
        **{f'grad of {n}': p.grad for n, p in net.named_parameters()},
        **{n: b for n, b in net.named_buffers()},
    }


def compare(net, inputs, rtol=1e-9, atol=1e-9):
    plain, fused = run(net, inputs, False), run(net, inputs, True)
    assert plain.keys() == fused.keys()
    for key, value in plain.items():
        torch.testing.assert_close(
            fused[key], value, rtol=rtol, atol=atol, msg=lambda m, key=key: f'{key}: {m}'
        )


@pytest.fixture(params=['numba', 'torch'])
def backend(request):
    with use(request.param):
        yield request.param


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('channels', [0, C])
@pytest.mark.parametrize('widths', [(6,), (6, 8), (6, 8, 7), (5, 6, 7, 9)])
def test_equals_the_plain_form(backend, training, channels, widths):
    compare(network(widths, channels).train(training), clouds(channels))


@pytest.mark.parametrize('training', [True, False])
def test_biases(backend, training):
    compare(network(bias=True).train(training), clouds())


def test_float32_far_from_the_origin():
    """Coordinates of a street scene: the split must not subtract large numbers."""
    net = network(dtype=torch.float32)
    near = clouds(offset=300.0, dtype=torch.float32)
    exact = run(
        copy.deepcopy(net).double(),
        [t if t.dtype == torch.int64 else t.double() for t in near],
        False,
    )
    out = run(net, near, True)
    torch.testing.assert_close(out['output'].double(), exact['output'], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    'options', [dict(affine=False), dict(track_running_stats=False), dict(momentum=None)]
)
@pytest.mark.parametrize('training', [True, False])
def test_other_settings_of_batch_norm(backend, options, training):
    net = network()
    for layer in net:
        layer.norm = nn.BatchNorm1d(layer.out_channels, **options).double()
    compare(net.train(training), clouds())


@pytest.mark.parametrize(
    'change',
    [dict(act='gelu'), dict(norm='ln'), dict(norm=None), dict(dropout=0.5), dict(last_act=False)],
)
def test_other_layers_take_the_plain_form(change):
    net = network(**change).eval()
    *tensors, index = clouds()
    assert torch.equal(
        grouped_mlp(net, *tensors, index), grouped_mlp(net, *tensors, index, fused=False)
    )


def test_ties_and_constant_input(backend):
    """All neighbours equal: the variance is 0, and every gradient is finite."""
    net = network()
    *tensors, index = clouds()
    tensors = [t[:, :1].expand_as(t).clone().requires_grad_(True) for t in tensors]
    out = grouped_mlp(net, *tensors, torch.zeros_like(index))
    out.sum().backward()
    assert torch.isfinite(out).all() and all(torch.isfinite(t.grad).all() for t in tensors)


def test_autocast(backend):
    net = network(dtype=torch.float32).eval()
    inputs = clouds(dtype=torch.float32)
    expected = grouped_mlp(net, *inputs)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = grouped_mlp(net, *inputs)
        training = grouped_mlp(net.train(), *inputs)
    torch.testing.assert_close(out.float(), expected, rtol=0.1, atol=0.1)
    assert torch.isfinite(training).all()


def test_one_row_in_training(backend):
    with pytest.raises(ValueError, match='more than 1 value per channel'):
        grouped_mlp(
            network(), *(t[:1, :1] for t in clouds()[:3]), torch.zeros(1, 1, 1, dtype=torch.int64)
        )


def test_compiled():
    net = network()
    *tensors, index = clouds()
    compiled = torch.compile(grouped_mlp, fullgraph=True, backend='aot_eager')
    torch.testing.assert_close(
        compiled(copy.deepcopy(net), *tensors, index), grouped_mlp(net, *tensors, index)
    )


@pytest.mark.parametrize('widths', [(6,), (6, 8, 7)])
def test_the_maximum_first_in_training(widths, monkeypatch):
    """As on a GPU."""
    monkeypatch.setattr('pcdet_kd.layers.grouped_mlp._max_pays', lambda norm, x: True)
    with use('torch'):
        compare(network(widths), clouds())


def test_an_index_outside_the_cloud(backend):
    coords, index = torch.zeros(2, 5, 3), torch.zeros(2, 4, 3, dtype=torch.int64)
    index[0, 1, 2] = 7  # a row of the second cloud, if nobody looked
    for training in (True, False):
        mlp = MLP([3, 4, 4]).train(training)
        with pytest.raises(ValueError, match='outside the 5 points'):
            grouped_mlp(mlp, coords, coords[:, :4], None, index)
    index[0, 1, 2] = 2_000_000_000  # far enough that a kernel would end the process
    with use('numba', check_values=False), pytest.raises(IndexError, match='outside the 10 points'):
        grouped_mlp(mlp, coords, coords[:, :4], None, index)


@pytest.mark.parametrize('channels', [0, C])
@pytest.mark.parametrize('training', [True, False])
def test_the_maximum_over_all_points(backend, training, channels):
    net, (coords, _, features, _) = network(channels=channels).train(training), clouds(channels)
    points = coords if features is None else torch.cat([coords, features], 2)
    found = []
    for pooled in (pooled_mlp, lambda mlp, x: max_pool(mlp(x), dim=1)):
        mlp, x = copy.deepcopy(net), points.clone().requires_grad_(True)
        out = pooled(mlp, x)
        out.square().sum().backward()
        found.append([out.detach(), x.grad, *(p.grad for p in mlp.parameters()), *mlp.buffers()])
    assert found[0][0].shape == (B, 7)
    for a, b in zip(*found):
        torch.testing.assert_close(a, b)


def test_the_maximum_over_all_points_on_slabs():
    made = []
    with use('numba'):
        net, (coords, *_) = network(channels=0), clouds(0)
        net[-1].register_forward_hook(lambda *args: made.append(1))
        pooled_mlp(net, coords)
        assert not made
        net[-1].act = nn.LeakyReLU(0.2)
        assert torch.equal(pooled_mlp(net, coords), max_pool(net(coords), dim=1)) and made
