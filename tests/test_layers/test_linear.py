"""The linear layer by way of a convolution against torch's."""

import copy

import pytest
import torch
from torch import nn

from pcdet_kd import ops
from pcdet_kd.layers import linear as module
from pcdet_kd.layers.linear import Linear, linear
from pcdet_kd.ops import backend


@pytest.fixture(autouse=True)
def an_amd_processor_with_avx512(monkeypatch):
    on_processor(monkeypatch, 'AVX512', 'AMD EPYC 9R14')


def on_processor(monkeypatch, instructions, name):
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: instructions)
    monkeypatch.setattr(backend, 'processor', lambda: name)


def convolutions(monkeypatch):
    """Record the images of every call of conv2d."""
    seen, original = [], module.F.conv2d
    monkeypatch.setattr(
        module.F, 'conv2d', lambda x, *args: seen.append(tuple(x.shape)) or original(x, *args)
    )
    return seen


@pytest.mark.parametrize(
    'shape, images',
    [((4096, 5), 64), ((3, 32, 16, 5), 16 * 2), ((1040, 5), 16), ((2, 1024, 3), 64)],
)
@pytest.mark.parametrize('bias', [True, False])
def test_equals_torch(shape, images, bias, monkeypatch):
    seen = convolutions(monkeypatch)
    torch.manual_seed(0)
    ours = Linear(shape[-1], 7, bias=bias)
    theirs = nn.Linear(shape[-1], 7, bias=bias)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    results = []
    for layer in (theirs, ours):
        x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
        out = layer(x)
        assert out.shape == (*shape[:-1], 7) and out.is_contiguous()
        out.backward(torch.randn(out.shape, generator=torch.Generator().manual_seed(2)))
        results.append([out.detach(), x.grad, *(p.grad for p in layer.parameters())])
    for expected, found in zip(*results):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert (
        len(seen) == 1
        and seen[0][0] >= 16
        and seen[0][0] == (images if shape != (3, 32, 16, 5) else 64)
    )


@pytest.mark.parametrize(
    ('instructions', 'name', 'way'),
    [
        ('AVX512', 'AMD EPYC 9R14', 'onednn'),
        ('AVX2', 'AMD EPYC 7763', 'torch'),
        ('AVX512', 'Intel(R) Xeon(R) Processor', 'torch'),
        ('DEFAULT', 'aarch64', 'torch'),
    ],
)
def test_the_processor_chooses(instructions, name, way, monkeypatch):
    on_processor(monkeypatch, instructions, name)
    seen, x, weight = convolutions(monkeypatch), torch.randn(2048, 4), torch.randn(3, 4)
    torch.testing.assert_close(linear(x, weight), nn.functional.linear(x, weight))
    assert bool(seen) == (way == 'onednn')
    info = ops.info()
    assert info['linear'].backend == way and name in info['linear'].why
    assert (info['processor'], info['instructions']) == (name, instructions)


@pytest.mark.parametrize(
    'x',
    [
        torch.randn(512, 4),
        torch.randn(1025, 4),
        torch.randn(0, 4),
        torch.randn(4),
        torch.randn(2048, 4, dtype=torch.float64),
        torch.randn(4, 2048).t(),
    ],
)
def test_the_ordinary_way(x, monkeypatch):
    seen = convolutions(monkeypatch)
    weight = torch.randn(3, 4, dtype=x.dtype)
    assert torch.equal(linear(x, weight), nn.functional.linear(x, weight)) and not seen


def test_autocast_and_graphs_see_a_linear_layer(monkeypatch):
    seen, layer, x = convolutions(monkeypatch), Linear(4, 3), torch.randn(2048, 4)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    compiled = torch.compile(layer, fullgraph=True, backend='aot_eager')
    torch.testing.assert_close(compiled(x), nn.functional.linear(x, layer.weight, layer.bias))
    targets = [str(node.target) for node in torch.export.export(layer, (x,)).graph.nodes]
    assert 'aten.linear.default' in targets and not seen


def test_second_gradients():
    x, weight = torch.randn(1024, 2, requires_grad=True), torch.randn(1, 2, requires_grad=True)
    (grad,) = torch.autograd.grad(linear(x, weight).square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(grad.sum(), weight)
    torch.testing.assert_close(
        second,
        torch.autograd.functional.jacobian(
            lambda w: 2 * (x.detach() @ w.t() @ w).sum(), weight.detach()
        ),
        rtol=1e-4,
        atol=1e-2,
    )


def test_it_is_a_linear_layer():
    layer = Linear(4, 3)
    assert isinstance(layer, nn.Linear) and repr(layer) == repr(nn.Linear(4, 3))
    assert copy.deepcopy(layer)(torch.ones(4)).shape == (3,)
