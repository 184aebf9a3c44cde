"""Stochastic depth: expectation, subsets, evaluation."""

import pytest
import torch

from pcdet_kd.layers import DropPath


@pytest.mark.parametrize(('rate', 'batch'), [(0.25, 8), (0.3, 5)])  # 0.7 * 5 is not whole
@pytest.mark.parametrize('efficient', [False, True])
def test_expectation(rate, batch, efficient):
    torch.manual_seed(0)
    drop = DropPath(rate, efficient)
    x = torch.zeros(batch, 2)
    mean = sum(drop(x, torch.ones_like) for _ in range(4000)) / 4000
    torch.testing.assert_close(mean, torch.ones_like(x), atol=0.06, rtol=0)


@pytest.mark.parametrize('efficient', [False, True])
def test_a_sample_has_the_whole_branch_or_none(efficient):
    torch.manual_seed(0)
    x, rate, calls = torch.rand(10, 3, 4), 0.4, []

    def branch(x, other):
        calls.append(len(x))
        assert torch.equal(other, 2 * x)
        return x

    grown = DropPath(rate, efficient)(x, branch, 2 * x) / x
    kept = grown[:, 0, 0] > 1.5
    torch.testing.assert_close(
        grown, torch.where(kept[:, None, None], 1 + 1 / (1 - rate), 1.0).expand_as(x)
    )
    assert 0 < kept.sum() < 10 and calls == ([6] if efficient else [10])
    assert not efficient or kept.sum() == 6


def test_others_may_be_none():
    seen = []
    DropPath(0.5, efficient=True)(
        torch.rand(4, 2), lambda x, memory: seen.append(memory) or x, None
    )
    assert seen == [None]


@pytest.mark.parametrize('efficient', [False, True])
def test_evaluation_keeps_all(efficient):
    drop, x = DropPath(0.9, efficient).eval(), torch.rand(4, 2)
    assert torch.equal(drop(x, torch.ones_like), x + 1)


def test_efficient_never_drops_all():
    drop, x = DropPath(0.9, efficient=True), torch.rand(1, 2)
    assert torch.equal(drop(x, torch.ones_like), x + 1)


def test_wrong_rate():
    with pytest.raises(ValueError, match=r'drop path rate is 1\.0'):
        DropPath(1.0)
