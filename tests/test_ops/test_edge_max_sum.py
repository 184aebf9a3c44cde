"""Maximum and sum over neighbours against the tensor of all edges, in float64."""

import sys

import pytest
import torch

from pcdet_kd import ops


@pytest.fixture(params=['torch', 'numba'])
def backend(request):
    with ops.use(request.param):
        yield request.param


def graph(batch=3, points=40, centres=17, k=6, channels=5, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(batch, points, channels, generator=generator, dtype=torch.float64).to(
        dtype
    )
    return features, torch.randint(points, (batch, centres, k), generator=generator)


def by_definition(features, index):
    """All edges, then the first maximum along k, its point, and the sum."""
    edges = torch.stack([f[i] for f, i in zip(features.double(), index)])
    highest = edges.amax(2)
    first = (edges == highest.unsqueeze(2)).int().argmax(2)  # argmax of 0 and 1: the first 1
    return highest, index.gather(2, first), edges.sum(2)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    'sizes',
    [dict(), dict(batch=1, points=1, centres=1, k=1, channels=1), dict(k=1), dict(channels=70)],
)
def test_definition(backend, dtype, sizes):
    features, index = graph(dtype=dtype, **sizes)
    highest, argmax, total = ops.edge_max_sum(features, index)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    assert highest.dtype == total.dtype == wide and argmax.dtype == torch.int64
    expected = by_definition(features, index)
    assert torch.equal(highest.double(), expected[0])
    assert torch.equal(argmax, expected[1])
    torch.testing.assert_close(total.double(), expected[2], rtol=0, atol=3e-6)


def test_the_first_along_k_wins_on_ties(backend):
    features = torch.randint(3, (2, 30, 4), generator=torch.Generator().manual_seed(1)).float()
    index = torch.randint(30, (2, 9, 12), generator=torch.Generator().manual_seed(2))
    assert torch.equal(ops.edge_max_sum(features, index)[1], by_definition(features, index)[1])
    same = torch.zeros(1, 5, 2)
    assert ops.edge_max_sum(same, torch.tensor([[[3, 1, 4]]]))[1].tolist() == [[[3, 3]]]


def test_a_nan_is_the_maximum(backend):
    features = torch.tensor([[[1.0], [float('nan')], [2.0]]])
    for order in ([0, 1, 2], [1, 0, 2], [0, 2, 1]):
        highest, argmax, total = ops.edge_max_sum(features, torch.tensor([[order]]))
        assert highest.isnan().all() and argmax.tolist() == [[[1]]] and total.isnan().all()


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
def test_gradient(backend, dtype):
    features, index = graph(dtype=dtype)
    index[:, 0] = index[:, 0, :1]  # one point, k times
    leaf, edges = features.clone().requires_grad_(True), features.double().requires_grad_(True)
    highest, _, total = ops.edge_max_sum(leaf, index)
    weights = torch.randn(
        2, *highest.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64
    )
    ((highest * weights[0]).sum() + (total * weights[1]).sum()).backward()
    all_edges = torch.stack([f[i] for f, i in zip(edges, index)])
    (
        (all_edges.max(2).values * weights[0]).sum() + (all_edges.sum(2) * weights[1]).sum()
    ).backward()
    assert leaf.grad.dtype == dtype
    tolerance = 0.02 if dtype == torch.bfloat16 else 1e-5
    torch.testing.assert_close(leaf.grad.double(), edges.grad, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize('used', [0, 2])
def test_one_of_both_may_be_unused(backend, used):
    features, index = graph()
    leaf = features.requires_grad_(True)
    ops.edge_max_sum(leaf, index)[used].sum().backward()
    expected = torch.zeros_like(features[..., 0]).scatter_add_(
        1, index.flatten(1), torch.ones(3, index[0].numel())
    )
    assert (
        (leaf.grad.sum() == 3 * 17 * 5) if used == 0 else torch.equal(leaf.grad[..., 0], expected)
    )


def test_gradients_of_both_orders(backend):
    features, index = graph(batch=2, points=6, centres=4, k=3, channels=2, dtype=torch.float64)
    features = features.requires_grad_(True)

    def outputs(f):
        highest, _, total = ops.edge_max_sum(f, index)
        return highest, total

    assert torch.autograd.gradcheck(outputs, features)
    assert torch.autograd.gradgradcheck(outputs, features)


def test_the_same_on_every_run_and_any_number_of_threads():
    features, index = graph(batch=5, points=200, centres=300, k=9, channels=16)
    results = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            leaf = features.clone().requires_grad_(True)
            highest, argmax, total = ops.edge_max_sum(leaf, index)
            (highest.square().sum() + total.square().sum()).backward()
            results.append((highest, argmax, total, leaf.grad))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_centres_in_parts(monkeypatch):
    features, index = graph()
    expected = ops.edge_max_sum(features, index)
    monkeypatch.setattr(sys.modules['pcdet_kd.ops.edge_max_sum'], 'CHUNK', 64)
    with ops.use('torch'):
        highest, argmax, total = ops.edge_max_sum(features, index)
    assert torch.equal(highest, expected[0]) and torch.equal(argmax, expected[1])
    torch.testing.assert_close(total, expected[2])


def test_autocast_changes_nothing(backend):
    features, index = graph()
    expected = ops.edge_max_sum(features, index)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert all(torch.equal(a, b) for a, b in zip(ops.edge_max_sum(features, index), expected))


def test_other_layouts(backend):
    features, index = graph()
    turned = features.transpose(1, 2).contiguous().transpose(1, 2)
    flipped = index.transpose(1, 2).contiguous().transpose(1, 2)
    expected = ops.edge_max_sum(features, index)
    assert all(torch.equal(a, b) for a, b in zip(ops.edge_max_sum(turned, flipped), expected))


@pytest.mark.parametrize(
    'features, index, message',
    [
        (
            torch.randn(2, 7),
            torch.zeros(2, 5, 3, dtype=torch.int64),
            r'features has shape \(2, 7\)',
        ),
        (torch.randn(2, 0, 3), torch.zeros(2, 5, 3, dtype=torch.int64), 'features .* is empty'),
        (
            torch.ones(2, 7, 3, dtype=torch.int64),
            torch.zeros(2, 5, 3, dtype=torch.int64),
            'features .* torch.int64',
        ),
        (torch.randn(2, 7, 3), torch.zeros(2, 5, dtype=torch.int64), r'index has shape \(2, 5\)'),
        (
            torch.randn(2, 7, 3),
            torch.zeros(3, 5, 3, dtype=torch.int64),
            r'index has shape \(3, 5, 3\)',
        ),
        (
            torch.randn(2, 7, 3),
            torch.zeros(2, 5, 0, dtype=torch.int64),
            r'index has shape \(2, 5, 0\): it is empty',
        ),
        (torch.randn(2, 7, 3), torch.zeros(2, 5, 3), 'index .* dtype torch.float32'),
        (torch.randn(2, 7, 3), torch.full((2, 5, 3), 7), 'from 7 to 7, outside the 7 points'),
    ],
)
def test_bad_input(features, index, message):
    with pytest.raises(ValueError, match=message):
        ops.edge_max_sum(features, index)
