"""Timing of several functions in one process, in turn, and Markdown tables of their ratios.

The functions are called round after round (a, b, c, a, b, c, ...), so that other work on the
machine affects them alike. A figure is the median over the rounds. CPU time is that of all threads
of the process: on a shared machine it varies far less than wall time.
"""

import importlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault(
    'OMP_WAIT_POLICY', 'PASSIVE'
)  # idle threads of one contender must not burn the time of the next

import torch

from pcdet_kd import ops

INSTALL = "not installed: pip install -e '.[bench]'"


@dataclass
class Timing:
    """Medians in seconds, the number of rounds, and what the function returned in the last one."""

    wall: float
    cpu: float
    rounds: int
    result: Any


def timed(function: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return wall and CPU seconds and the result of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def interleaved(
    functions: dict[str, Callable[[], Any]],
    rounds: int = 5,
    budget: float = 20.0,
    warm_up: bool = True,
) -> dict[str, Timing]:
    """Time functions in turn.

    Args:
        functions: By name, without arguments.
        rounds: How often each is called.
        budget: Seconds for one function; a slow one takes part in fewer rounds (at least 1).
        warm_up: Call each once before, which compiles, imports and fills caches.
    """
    first = {name: timed(function)[0] for name, function in functions.items()} if warm_up else {}
    times: dict[str, list] = {name: [] for name in functions}
    results = {}
    for r in range(rounds):
        for name, function in functions.items():
            if r == 0 or (r + 1) * first.get(name, 0) <= budget:
                *seconds, results[name] = timed(function)
                times[name].append(seconds)
    return {
        name: Timing(
            statistics.median(t[0] for t in runs),
            statistics.median(t[1] for t in runs),
            len(runs),
            results[name],
        )
        for name, runs in times.items()
    }


def optional(module: str) -> Any:
    """Return a module, or None if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ['---'] * len(columns), *rows]
    return '\n'.join('| ' + ' | '.join(str(cell) for cell in line) + ' |' for line in lines)


def times_faster(peer: float, ours: float) -> str:
    """Return how many times longer the peer takes, to three digits: '12.3'."""
    ratio = peer / max(ours, 1e-9)
    return f'{ratio:.0f}' if ratio >= 100 else f'{ratio:.3g}'


def milliseconds(seconds: float) -> str:
    """Return a time to three digits: '12.3', '1230'."""
    return f'{seconds * 1e3:.0f}' if seconds >= 0.1 else f'{seconds * 1e3:.3g}'


def environment() -> str:
    """Return one line on processor, instruction set, threads, versions and the machine's load."""
    info = ops.info()
    load = f'; load {os.getloadavg()[0]:.1f}' if hasattr(os, 'getloadavg') else ''
    return (
        f'{info["processor"]}, {info["instructions"]}, linear layers by {info["linear"].backend}, '
        f'{os.cpu_count()} logical processors, {info["threads"]} threads; '
        f'torch {torch.__version__}, numba {info["numba"] or "missing"}, '
        f'Python {platform.python_version()}, {sys.platform}{load}'
    )
