"""Many samples at once, on all processors, with a progress bar."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from pcdet_kd.datasets.synthetic.generate import make_sample
from pcdet_kd.utils.processes import default_workers, process_pool
from pcdet_kd.utils.progress import progress_bar

_CHUNK = 15
_SERIAL = 60  # fewer samples are done before a process pool is up


def _make_chunk(
    indices: Sequence[int], variant: str, seed: int, split: str, num_points: int
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    samples = (make_sample(variant, seed, split, i, num_points) for i in indices)
    return [(s.points, s.normals, s.parts) for s in samples]


def _chunks(work: Callable, chunks: list[range], workers: int) -> Iterator[list]:
    if workers <= 1:
        yield from map(work, chunks)
        return
    with process_pool(workers) as pool:
        yield from pool.map(work, chunks)


def make_samples(
    variant: str, seed: int, split: str, count: int, num_points: int, workers: int | None = None
) -> dict[str, np.ndarray]:
    """Generate the first ``count`` samples of a split.

    Args:
        variant: As in :func:`~pcdet_kd.datasets.synthetic.generate.make_sample`, and so are
            ``seed`` and ``split``.
        seed: Seed of the data set.
        split: ``'train'`` or ``'test'``.
        count: Number of samples.
        num_points: Points per cloud.
        workers: Processes; None for one per processor. Small counts are made in this process. The
            result does not depend on it.

    Returns:
        ``points`` and ``normals`` (count, num_points, 3) float32, ``part_labels`` (count,
        num_points) int16.
    """
    workers = default_workers() if workers is None else workers
    arrays = dict(
        points=np.empty((count, num_points, 3), np.float32),
        normals=np.empty((count, num_points, 3), np.float32),
        part_labels=np.empty((count, num_points), np.int16),
    )
    chunks = [range(i, min(i + _CHUNK, count)) for i in range(0, count, _CHUNK)]
    work = partial(_make_chunk, variant=variant, seed=seed, split=split, num_points=num_points)
    with progress_bar(total=count, desc=f'SyntheticScans {variant} {split}', unit='cloud') as bar:
        for chunk, samples in zip(
            chunks, _chunks(work, chunks, workers if count >= _SERIAL else 1)
        ):
            for index, sample in zip(chunk, samples):
                for array, values in zip(arrays.values(), sample):
                    array[index] = values
            bar.update(len(chunk))
    return arrays
