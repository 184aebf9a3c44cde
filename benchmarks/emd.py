"""Ratio of ``ops.emd_match`` to SciPy's exact solver: a Markdown table on stdout.

Both run in one process, in turn, so that other work on the machine hits them alike; a figure is the median over the runs.
CPU time is that of all threads. Usage: ``python benchmarks/emd.py [--batch 4] [--points 1024] [--runs 3]``.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pcdet_kd import ops


def uniform(batch: int, points: int, seed: int) -> Tensor:
    """Points drawn uniformly from the unit cube."""
    return torch.rand(batch, points, 3, generator=torch.Generator().manual_seed(seed))


def surface(batch: int, points: int, seed: int) -> Tensor:
    """Points on two to five faces of boxes, cylinders and spheres of random size and place, scaled to the unit cube."""
    rng = np.random.default_rng(seed)
    clouds = np.empty((batch, points, 3), np.float32)
    for cloud in clouds:
        part = rng.integers(0, rng.integers(2, 6), points)
        for p in np.unique(part):
            n = int((part == p).sum())
            kind = rng.integers(3)
            q = rng.normal(size=(n, 3))
            if kind == 0:  # box: push one coordinate to a face
                q = rng.uniform(-1, 1, (n, 3))
                q[np.arange(n), rng.integers(0, 3, n)] = rng.choice([-1, 1], n)
            elif kind == 1:  # cylinder
                q[:, :2] /= np.linalg.norm(q[:, :2], axis=1, keepdims=True)
                q[:, 2] = rng.uniform(-1, 1, n)
            else:
                q /= np.linalg.norm(q, axis=1, keepdims=True)
            cloud[part == p] = q * rng.uniform(0.05, 0.55, 3) + rng.uniform(-0.5, 0.5, 3)
        cloud -= cloud.min(0)
        cloud /= cloud.max()
    return torch.from_numpy(clouds)


def scipy_match(x: Tensor, y: Tensor) -> Tensor:
    """``emd_match`` by SciPy, one cloud after the other."""
    with ops.use('torch'):
        return ops.emd_match(x, y)


def timed(function: Callable[[], Tensor]) -> tuple[float, float, Tensor]:
    """Return wall and CPU seconds and the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def mean_distance(x: Tensor, y: Tensor, match: Tensor) -> Tensor:
    """Mean distance of the matched pairs of each cloud, in float64."""
    return (x.double() - ops.group(y.double(), match)).norm(dim=2).mean(1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--points', type=int, default=1024)
    parser.add_argument('--runs', type=int, default=3)
    args = parser.parse_args()
    rows = {'emd_match': ops.emd_match, "emd_match, compat='msn'": lambda x, y: ops.emd_match(x, y, compat='msn'),
            'SciPy': scipy_match}
    for match in rows.values():  # compile and import
        match(uniform(1, 70, 0), uniform(1, 70, 1))
    print(f'{args.batch} pairs of {args.points} points, median of {args.runs} runs; {torch.get_num_threads()} threads, '
          f'torch {torch.__version__}, numba {ops.info()["numba"]}, Python {platform.python_version()}\n')
    print('| clouds | matching | CPU ms per pair | CPU: times faster than SciPy | wall: times faster | gap | bijection |')
    print('|---|---|---|---|---|---|---|')
    for kind in (uniform, surface):
        x, y = kind(args.batch, args.points, 0), kind(args.batch, args.points, 1)
        runs: dict[str, list] = {name: [] for name in rows}
        for _ in range(args.runs):
            for name, match in rows.items():
                runs[name].append(timed(lambda match=match, x=x, y=y: match(x, y)))
        wall, cpu = ({name: statistics.median(run[i] for run in r) for name, r in runs.items()} for i in (0, 1))
        least = mean_distance(x, y, runs['SciPy'][0][2])
        for name, r in runs.items():
            match = r[0][2]
            gap = float((mean_distance(x, y, match) / least - 1).max())
            bijection = bool((match.sort(1).values == torch.arange(args.points)).all())
            print(f'| {kind.__name__} | {name} | {cpu[name] / args.batch * 1e3:.1f} | {cpu["SciPy"] / cpu[name]:.1f} | '
                  f'{wall["SciPy"] / wall[name]:.1f} | {max(gap, 0):.1e} | {"yes" if bijection else "no"} |')


if __name__ == '__main__':
    main()
