"""PointMLP's grouping in float64, written out."""

import pytest
import torch
from torch import nn

from pcdet_kd.layers import LocalGrouper
from pcdet_kd.ops import farthest_point_sample, knn


def test_reference():
    torch.manual_seed(0)
    coords = torch.rand(2, 12, 3, dtype=torch.float64)
    features = torch.randn(2, 12, 5, dtype=torch.float64)
    layer = LocalGrouper(5, 4, 3).double()
    layer.affine_alpha.data = torch.randn(1, 1, 1, 5, dtype=torch.float64)
    layer.affine_beta.data = torch.randn(1, 1, 1, 5, dtype=torch.float64)
    centres, out = layer(coords, features)
    assert out.shape == (2, 4, 3, 10) and out.dtype == torch.float64
    chosen = farthest_point_sample(coords, 4)
    for b in range(2):
        torch.testing.assert_close(centres[b], coords[b, chosen[b]])
        anchor = features[b, chosen[b]][:, None]
        offset = features[b, knn(centres, coords, 3)[b]] - anchor
        sigma = (
            ((offset - offset.mean()) ** 2).sum() / (offset.numel() - 1)
        ).sqrt()  # unbiased, one per sample
        expected = layer.affine_alpha[0] * offset / (sigma + 1e-5) + layer.affine_beta[0]
        torch.testing.assert_close(out[b, ..., :5], expected)
        torch.testing.assert_close(out[b, ..., 5:], anchor.expand(4, 3, 5))


def test_one_point_has_no_spread():
    features = torch.rand(2, 1, 4, requires_grad=True)
    layer = LocalGrouper(4, 8, 24)
    centres, out = layer(torch.rand(2, 1, 3), features)
    assert centres.shape == (2, 1, 3) and out.shape == (2, 1, 1, 8)
    out.sum().backward()
    assert torch.isfinite(features.grad).all() and (out[..., :4] == 0).all()


def test_half_precision_features_are_normalised_in_float32():
    coords, features = torch.rand(1, 8, 3), torch.rand(1, 8, 4)
    layer = LocalGrouper(4, 4, 3)
    _, out = layer(coords, features.bfloat16())
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, layer(coords, features.bfloat16().float())[1])


@pytest.mark.parametrize('compat', [None, 'pointnet2'])
def test_the_cuda_extension_never_samples_the_origin(compat):
    coords = torch.tensor([[[1.0, 0, 0], [0, 0, 0], [0.9, 0, 0]]])
    centres, _ = LocalGrouper(4, 3, 2, compat=compat)(coords, torch.rand(1, 3, 4))
    assert bool((centres == 0).all(-1).any()) == (compat is None)


def test_start_of_the_sampling():
    coords, features = torch.rand(1, 64, 3), torch.rand(1, 64, 4)
    layer = LocalGrouper(4, 4, 3, fps_start='random')
    assert len({tuple(layer(coords, features)[0][0, 0].tolist()) for _ in range(8)}) > 1
    assert torch.equal(layer.eval()(coords, features)[0][0, 0], coords[0, 0])
    with pytest.raises(ValueError, match='fps_start is 1'):
        LocalGrouper(4, 4, 3, fps_start=1)


@pytest.mark.parametrize('bias', [True, False])
def test_a_linear_layer_per_point(bias):
    torch.manual_seed(0)
    coords = torch.rand(2, 40, 3, dtype=torch.float64)
    layer, linear = LocalGrouper(5, 9, 6).double(), nn.Linear(10, 7, bias=bias).double()
    layer.affine_alpha.data.normal_()
    layer.affine_beta.data.normal_()
    parameters = [*layer.parameters(), *linear.parameters()]
    results = []
    for split in (False, True):
        features = torch.randn(
            2, 40, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
        ).requires_grad_(True)
        if split:
            centres, out = layer.forward_linear(coords, features, linear)
        else:
            centres, out = layer(coords, features)
            out = linear(out)
        grads = torch.autograd.grad(
            (out * torch.linspace(-1, 1, out.numel()).view(out.shape)).sum(),
            [features, *parameters],
        )
        results.append([centres, out, *grads])
    for expected, found in zip(*results):
        torch.testing.assert_close(found, expected)


def test_a_linear_layer_on_points_that_coincide():
    """1 / sigma is 100,000 here: a difference that is not exactly 0 would be seen."""
    features = torch.full((2, 6, 4), 0.7).requires_grad_(True)
    layer, linear = LocalGrouper(4, 3, 5), nn.Linear(8, 7)
    coords = torch.rand(2, 6, 3)
    out = layer.forward_linear(coords, features, linear)[1]
    torch.testing.assert_close(out, linear(layer(coords, features)[1]))
    out.sum().backward()
    assert torch.isfinite(features.grad).all()


def test_a_linear_layer_under_autocast():
    coords, features = torch.rand(1, 30, 3), torch.rand(1, 30, 4)
    layer, linear = LocalGrouper(4, 8, 6), nn.Linear(8, 7)
    expected = layer.forward_linear(coords, features, linear)[1]
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out = layer.forward_linear(coords, features, linear)[1]
        assert out.dtype == linear(layer(coords, features)[1]).dtype == torch.bfloat16
    assert torch.equal(out, expected.bfloat16())
