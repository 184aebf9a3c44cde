"""The sections of ``gpu.py``. Each yields rows. If a case raises, its row shows the error, and the
next case is run.
"""

import importlib
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

import torch
from torch import Tensor

Row = dict[str, Any]


class Setting:
    """Device, sizes and random numbers of a run.

    Attributes:
        device: Where everything happens.
        tiny: Whether shapes are tiny.
        kernels: The back end whose kernels are looked at.
    """

    def __init__(self, seed: int, tiny: bool) -> None:
        self.tiny = tiny
        self.device = torch.device('cuda', 0) if torch.cuda.is_available() else torch.device('cpu')
        self.kernels = 'triton' if self.device.type == 'cuda' else 'numba'
        self.seed = seed
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers on the device."""
        return torch.randn(*shape, generator=self.generator).to(self.device)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Whole numbers below ``high`` on the device."""
        return torch.randint(high, shape, generator=self.generator).to(self.device)

    def milliseconds(
        self, function: Callable[[], Any], rounds: int = 5, aim: float = 30.0
    ) -> float:
        """Time of one call in ms: the median over rounds of so many calls in a row that they take
        about ``aim`` ms.
        """
        if self.tiny:
            rounds, aim = 1, 0.0
        once = self._elapsed(function, 1)  # compiles
        once = min(once, self._elapsed(function, 1))
        calls = max(1, min(200, int(aim / max(once, 1e-3))))
        return statistics.median(
            self._elapsed(function, calls) for _ in range(rounds if once < 500 else 1)
        )

    def graphed(self, function: Callable[[], Any]) -> float | None:
        """Time of one call replayed from a CUDA graph, without what launching costs; None where it
        can't be captured.
        """
        if self.device.type != 'cuda':
            return None
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.stream(stream):
                function()
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(graph):
                function()
        except RuntimeError:
            torch.cuda.synchronize()
            return None
        return self.milliseconds(graph.replay)

    def _elapsed(self, function: Callable[[], Any], calls: int) -> float:
        if self.device.type != 'cuda':
            start = time.perf_counter()
            for _ in range(calls):
                function()
            return (time.perf_counter() - start) * 1e3 / calls
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        begin.record()
        for _ in range(calls):
            function()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end) / calls


def guarded(name: str, cells: int, case: Callable[[], list[Row]]) -> list[Row]:
    """Return the rows of a case, or one that says how it failed."""
    try:
        return case()
    except Exception as error:  # every kind: the rest must go on
        message = (
            f'{type(error).__name__}: '
            f'{str(error).strip().splitlines()[0] if str(error).strip() else ""}'
        )
        return [dict(cells=[name, *[''] * (cells - 2), 'FAILED'], failed=f'{name}: {message}')]


def environment() -> str:
    """Return one line on the device and the versions."""
    parts = [f'torch {torch.__version__}', f'Python {platform.python_version()}']
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        parts = [
            f'{card.name}, {card.multi_processor_count} multiprocessors, '
            f'{card.total_memory / 2**30:.0f} GB',
            f'CUDA {torch.version.cuda}',
            *parts,
        ]
    for name in ('triton', 'numba'):
        try:
            parts.append(f'{name} {__import__(name).__version__}')
        except ImportError:
            parts.append(f'{name} missing')
    return ', '.join(parts)


def run(name: str, file: IO[str], seed: int, tiny: bool) -> None:
    """Run a section and write its rows as lines of JSON, each as soon as it is there."""
    rows: Callable[[Setting], Iterator[Row]] = importlib.import_module(
        f'gpu_{name}'
    ).rows  # only what it needs is imported
    for row in rows(Setting(seed, tiny)):
        file.write(json.dumps(row) + '\n')
        file.flush()
