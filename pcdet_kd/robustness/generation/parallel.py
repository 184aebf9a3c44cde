"""Chunks of clouds from several processes, in order."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from pcdet_kd.robustness.generation.sample import Maker
from pcdet_kd.utils.processes import process_pool

Task = tuple[tuple[str, int] | None, range]
_AHEAD = 4  # chunks per process that are computed before they are asked for
_maker: Maker | None = None


def compute_chunks(maker: Maker, tasks: Iterable[Task], workers: int) -> Iterator[list[np.ndarray]]:
    """Yield the clouds of each task, (name, severity) and their positions, in the order of the
    tasks.

    Args:
        maker: Makes a cloud.
        tasks: The clouds to make.
        workers: Processes; 1 or less for this one alone.
    """
    if workers <= 1:
        for chosen, indices in tasks:
            yield [maker.make(chosen, i) for i in indices]
        return
    waiting = deque()
    with process_pool(workers, _keep, maker) as pool:
        for task in tasks:
            waiting.append(pool.submit(_compute, *task))
            if len(waiting) >= _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _compute(chosen: tuple[str, int] | None, indices: range) -> list[np.ndarray]:
    return [_maker.make(chosen, i) for i in indices]


def _keep(maker: Maker) -> None:
    """Keep the clouds in a process: they are not sent with every task."""
    global _maker
    _maker = maker
