"""How long a training step takes, and how much memory: a few steps on real samples."""

import sys
import time
from itertools import islice
from typing import Any

import torch

from pcdet_kd.engine.rehearsal import batch_of

_MOST_ON_CPU = 8  # samples: a step takes seconds there, and its time grows with their number
_STEPS = 3


def dry_step(runner: Any, seconds: float = 5) -> dict[str, Any]:
    """Train a Runner's model for a few steps on the first batch of its loader.

    On a CPU the batch has at most 8 samples, and times are scaled to the loader's batch. The first
    step is not counted.

    Args:
        runner: A Runner that has been set up; its model and optimiser are changed.
        seconds: No further step begins after so many, but one is always timed.

    Returns:
        ``measured_with`` (samples), ``data_s`` (reading and transforming a batch in one process),
        ``step_s``, ``iteration_s`` (both together, as the loader's workers allow), ``epoch_s``,
        ``run_s`` (without validation) and ``memory_bytes``: of the GPU, or of this process.
    """
    loader = runner.train_dataloader
    on_gpu = any(p.is_cuda for p in runner.model.parameters())
    whole = list(next(iter(loader.batch_sampler)))
    chosen = whole if on_gpu else list(islice(whole, _MOST_ON_CPU))
    begin = time.perf_counter()
    batch = batch_of(loader, chosen)
    data = (time.perf_counter() - begin) * len(whole) / len(chosen)
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    times = []
    begin = time.perf_counter()
    # the first step is slower: it makes room, chooses kernels and compiles
    while len(times) < 2 or (len(times) <= _STEPS and time.perf_counter() - begin < seconds):
        start = time.perf_counter()
        runner.model.train_step(batch, optim_wrapper=runner.optim_wrapper)
        if on_gpu:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    step = min(times[1:]) * len(whole) / len(chosen)
    workers = loader.num_workers
    iteration = max(step, data / workers) if workers else step + data
    return dict(
        measured_with=f'{len(chosen)} of {len(whole)} samples of a batch',
        data_s=data,
        step_s=step,
        iteration_s=iteration,
        iterations_per_epoch=len(loader),
        epoch_s=len(loader) * iteration,
        run_s=runner.max_iters * iteration,
        memory_bytes=torch.cuda.max_memory_allocated() if on_gpu else peak_memory(),
    )


def peak_memory() -> int | None:
    """Return the most bytes that this process has used so far; None where the system does not
    tell.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else peak * 1024
