"""A row of ``ops.py``: our op beside its peers, and how their results are compared."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import harness
import numpy as np
import torch
from torch import Tensor


@dataclass
class Case:
    """One op on one shape.

    Attributes:
        title: What is measured, with shapes.
        ours: Our call.
        check: Compares our result with a peer's, in words: ``check(ours, peer)``.
        peers: Calls by name; None where the package is missing.
        targets: CPU-time ratio to reach, by peer.
    """

    title: str
    ours: Callable[[], Any]
    check: Callable[[Any, Any], str]
    peers: dict[str, Callable[[], Any] | None] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, call: Callable[[], Any], target: float | None = None) -> 'Case':
        """Add a peer."""
        self.peers[name] = call
        if target is not None:
            self.targets[name] = target
        return self

    def add_package(
        self,
        name: str,
        module: str,
        make: Callable[[Any], Callable[[], Any] | None],
        target: float | None = None,
    ) -> 'Case':
        """Add a peer from an optional package: ``make(module)`` returns the call."""
        found = harness.optional(module)
        self.add(name, make(found) if found else None, target)
        return self


def equal_indices(ours: Tensor, peer: Tensor) -> str:
    """Share of equal indices."""
    peer = torch.as_tensor(np.asarray(peer)).reshape(ours.shape)
    if (
        peer.flatten(1)[:, 0] != ours.flatten(1)[:, 0]
    ).all():  # fpsample's buckets do not keep to the start they are given
        return 'starts elsewhere'
    return f'{(ours == peer).double().mean():.3%} equal indices'


def equal_sets(ours: Tensor, peer: Tensor) -> str:
    """Share of queries with the same set of neighbours."""
    peer = torch.as_tensor(np.asarray(peer)).reshape(ours.shape)
    return (
        f'{(ours.sort(-1).values == peer.sort(-1).values).all(-1).double().mean():.3%} equal '
        'neighbour sets'
    )


def equal_values(ours: tuple[Tensor, ...], peer: tuple[Tensor, ...]) -> str:
    """Largest difference of values and gradients, relative to the largest of each."""
    error = max(
        float((a - b).abs().max() / b.abs().max().clamp_min(1e-12)) for a, b in zip(ours, peer)
    )
    return f'values and gradients differ by {error:.0e}'


def with_gradient(
    function: Callable[..., Tensor], *leaves: Tensor
) -> Callable[[], tuple[Tensor, ...]]:
    """A call that returns the function's value and the gradients of its mean."""

    def call() -> tuple[Tensor, ...]:
        fresh = [leaf.detach().requires_grad_() for leaf in leaves]
        out = function(*fresh)
        out.backward(torch.ones_like(out) / out.numel())
        return out.detach(), *(leaf.grad for leaf in fresh)

    return call
