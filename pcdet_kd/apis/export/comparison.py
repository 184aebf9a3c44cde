"""An exported model beside the one that it was made of: differences and times."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

LIMIT = 1e-4  # of the difference between logits
Model = Callable[[Tensor], tuple[Tensor, Tensor]]


class Latency(NamedTuple):
    """Milliseconds of a batch, medians: of the model, and of what was exported."""

    batch_size: int
    eager: float
    exported: float


@torch.no_grad()
def largest_difference(eager: Model, exported: Model, batches: Sequence[Tensor]) -> float:
    """Return the largest difference between logits (B, K) of two models over all batches; infinity
    where one is not finite or the shapes differ.
    """
    largest = 0.0
    for inputs in batches:
        expected, found = eager(inputs)[0], exported(inputs)[0]
        if expected.shape != found.shape or not torch.isfinite(expected + found).all():
            return float('inf')
        largest = max(largest, float((expected - found).abs().max()))
    return largest


@torch.no_grad()
def latencies(
    eager: Model, exported: Model, batches: Sequence[Tensor], seconds: float = 1.0
) -> list[Latency]:
    """Return the times of each batch, after one run to warm up; about ``seconds`` a figure, but at
    least three runs unless they take five times as long.
    """
    return [
        Latency(len(inputs), *(_median(model, inputs, seconds) for model in (eager, exported)))
        for inputs in batches
    ]


def _median(model: Model, inputs: Tensor, seconds: float) -> float:
    model(inputs)
    times: list[float] = []
    while not times or (
        len(times) < 50 and sum(times) < (seconds if len(times) >= 3 else 5 * seconds)
    ):
        start = time.perf_counter()
        model(inputs)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
