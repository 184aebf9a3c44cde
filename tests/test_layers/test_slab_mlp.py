"""An MLP on slabs of edges against autograd on all of them, in float64."""

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from pcdet_kd.layers import batch_norm, slab_mlp
from pcdet_kd.layers.slab_mlp import SlabMLP

B, N, M, K = 3, 30, 11, 5


def problem(widths, bias):
    """u and q, neighbours, and the layers after them as (weight, bias, norm); the last has no
    norm.
    """
    torch.manual_seed(0)
    u, q = torch.randn(B, N, widths[0]).double(), torch.randn(B, M, widths[0]).double()
    layers = []
    for before, after in pairwise(widths):
        linear, norm = nn.Linear(before, after, bias).double(), nn.BatchNorm1d(after).double()
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        layers.append((linear, norm))
    return u, q, torch.randint(N, (B, M, K)), layers


def by_definition(u, q, index, layers):
    x = (torch.stack([a[i] for a, i in zip(u, index)]) - q.unsqueeze(2)).relu()
    for linear, norm in layers[:-1]:
        x = norm(linear(x).flatten(0, 2)).view(B, M, K, -1).relu()
    x = layers[-1][0](x)
    return x.max(2).values, x.mean((0, 1, 2)), x.var((0, 1, 2), correction=0)


def on_slabs(u, q, index, layers, moments=True):
    params = [
        p
        for linear, norm in layers[:-1]
        for p in (linear.weight, linear.bias, norm.weight, norm.bias)
    ]
    return SlabMLP.apply(
        u,
        q,
        index,
        [norm for _, norm in layers[:-1]],
        moments,
        layers[-1][0].weight,
        layers[-1][0].bias,
        *params,
    )


def results(form, u, q, index, layers, training):
    layers = copy.deepcopy(layers)
    for _, norm in layers:
        norm.train(training)
    u, q = (t.clone().requires_grad_(True) for t in (u, q))
    out = form(u, q, index, layers)
    generator = torch.Generator().manual_seed(1)
    sum(
        (t * torch.randn(t.shape, generator=generator, dtype=t.dtype)).sum() for t in out
    ).backward()
    modules = [module for layer in layers for module in layer]
    return [
        *(t.detach() for t in out),
        u.grad,
        q.grad,
        *(p.grad for m in modules for p in m.parameters() if p.grad is not None),
        *(b for m in modules for b in m.buffers()),
    ]


@pytest.mark.parametrize('widths', [(6, 7), (6, 8, 7), (5, 6, 9, 7)])
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('slab', [1, 60, 200, 1 << 20])
def test_values_and_gradients(widths, bias, training, slab, monkeypatch):
    monkeypatch.setattr(slab_mlp, 'SLAB', slab)
    args = problem(widths, bias)
    expected, found = results(by_definition, *args, training), results(on_slabs, *args, training)
    assert len(expected) == len(found)
    for a, b in zip(expected, found):
        torch.testing.assert_close(b, a, rtol=1e-9, atol=1e-9)


def test_without_moments():
    args = problem((6, 8, 7), True)
    highest, mean, var = on_slabs(*args, moments=False)
    assert not mean.any() and not var.any()
    torch.testing.assert_close(highest, by_definition(*args)[0])


def test_variance_of_hidden_features_with_a_large_mean():
    """In float32, E[z^2] - E[z]^2 would have no correct digit."""
    u, q, index, layers = problem((6, 8, 7), False)
    layers[0][1].bias.data += 1000
    exact = by_definition(u, q, index, copy.deepcopy(layers))
    found = on_slabs(
        u.float(), q.float(), index, [(a.float(), b.float()) for a, b in copy.deepcopy(layers)]
    )
    torch.testing.assert_close(found[2].double(), exact[2], rtol=1e-3, atol=0)


def test_the_number_of_threads_changes_nothing():
    args, found, before = problem((32, 48, 64), True), [], torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(results(on_slabs, *args, True))
    finally:
        torch.set_num_threads(before)
    for a, b in zip(*found):
        torch.testing.assert_close(b, a, rtol=1e-12, atol=1e-12)


def test_only_the_layers_between_are_stored():
    u, q, index, layers = problem((6, 16, 64), False)
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: sizes.append(t.numel()) or t, lambda t: t
    ):
        on_slabs(u.requires_grad_(True), q, index, layers)
    assert sorted(sizes)[-2:] == [B * M * 64, B * M * K * 16]
    assert all(batch_norm.uses_batch(norm) for _, norm in layers)
