"""Stochastic depth: a residual branch that is left out for some samples of a batch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """``x + branch(x)``, where in training each sample misses the branch with some probability
    (Huang et al., 2016).

    The branch is scaled so that its expectation is that of evaluation.

    Args:
        rate: Probability p of missing the branch, 0 <= p < 1.
        efficient: Run the branch only on a random subset of round((1 - p) B) samples, at least one,
            instead of multiplying the result of all by 0 or 1 / (1 - p): the work shrinks with p,
            and the number that miss the branch is fixed. The subset's result is scaled by B /
            subset, so that the expectation is exact when (1 - p) B is not whole (AsymDSD's code
            divides by 1 - p). With one sample nothing is dropped.
    """

    def __init__(self, rate: float = 0.0, efficient: bool = False) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f'drop path rate is {rate}, must be at least 0 and below 1')
        self.rate = rate
        self.efficient = efficient

    def forward(self, x: Tensor, branch: Callable[..., Tensor], *others: Tensor | None) -> Tensor:
        """Return x (B, ...) plus the branch.

        Args:
            x: The input.
            branch: Called as ``branch(x, *others)``; returns a tensor shaped like x.
            others: What the branch needs besides, batch first like x, or None.
        """
        if not self.training or self.rate == 0:
            return x + branch(x, *others)
        batch = x.shape[0]
        if not self.efficient:
            keep = torch.rand(batch, *[1] * (x.dim() - 1), device=x.device) >= self.rate
            return x + branch(x, *others) * keep / (1 - self.rate)
        count = max(1, round((1 - self.rate) * batch))
        index = torch.randperm(batch, device=x.device)[:count]
        part = branch(x[index], *(None if other is None else other[index] for other in others))
        return x.index_add(0, index, (part * (batch / count)).to(x.dtype))

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f'rate={self.rate:g}, efficient={self.efficient}'
