"""Pooling: one value, and one gradient, with and without ties."""

import torch

from pcdet_kd.layers import max_mean_pool, max_pool


def test_same_values_with_and_without_gradient():
    x = torch.randn(2, 5, 3)
    assert torch.equal(max_pool(x, 1), max_pool(x.clone().requires_grad_(), 1))
    assert torch.equal(max_pool(x, 1), x.max(1).values)


def test_ties_get_the_gradient_once():
    x = torch.ones(1, 4, 1, requires_grad=True)
    max_pool(x, 1).sum().backward()
    assert sorted(x.grad.flatten().tolist()) == [0, 0, 0, 1]


def test_maximum_and_mean():
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(max_mean_pool(x), torch.cat([x.max(1).values, x.mean(1)], 1))
    assert torch.autograd.gradcheck(max_mean_pool, x)
