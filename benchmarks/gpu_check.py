"""Section ``check`` of ``gpu.py``: GPU kernels against plain torch, on the same device and the same
random clouds.
"""

import time
from collections.abc import Callable, Iterator

import inputs
import torch
from gpu_sections import Row, Setting, guarded
from torch import Tensor

from pcdet_kd.ops import backend

ENOUGH = 110  # seconds; compiling 140 forms of the kernels takes 25 or more of them
KINDS = ('random', 'surface', 'duplicates', 'lattice', 'far')


def clouds(setting: Setting, kind: str, batch: int, num_points: int) -> Tensor:
    """Random clouds (batch, num_points, 3) of a kind."""
    if kind == 'surface':
        return inputs.surface(batch, num_points, int(setting.integers(2**31, 1))).to(setting.device)
    points = setting.normal(batch, num_points, 3)
    if kind == 'duplicates':
        return points[:, setting.integers(max(num_points // 4, 1), num_points)]
    if kind == 'lattice':
        return setting.integers(8, batch, num_points, 3).float()
    if kind == 'far':
        return points * 0.1 + torch.tensor([5e4, -3e4, 1e5], device=setting.device)
    return points


def both(setting: Setting, op: str, *args: object) -> list[tuple[Tensor, ...]]:
    """Return the results of the kernel and of plain torch."""
    results = [backend.implementation(op, name)(*args) for name in (setting.kernels, 'torch')]
    return [found if isinstance(found, tuple) else (found,) for found in results]


def compare(setting: Setting, op: str, title: str, *args: object, exact: bool = True) -> list[Row]:
    """Return the row that says whether results agree: bit for bit, or to rounding."""
    found, expected = both(setting, op, *args)
    different = sum(int((a != b).sum()) for a, b in zip(found, expected))
    if not different:
        return [dict(cells=[op, title, 'equal'])]
    if not exact and all(
        torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(found, expected)
    ):
        return [dict(cells=[op, title, 'equal to rounding'])]
    count = sum(a.numel() for a in found)
    return [
        dict(
            cells=[op, title, f'{different} of {count} differ'],
            failed=f'{op}, {title}: {different} of {count} differ',
        )
    ]


def feature_neighbours(setting: Setting, num_points: int, channels: int, k: int) -> list[Row]:
    """Neighbours in feature space: their distances must agree, their order may differ where
    rounding decides.
    """
    points, title = (
        setting.normal(3, num_points, channels) + 2,
        f'3 x {num_points} x {channels}, k={k}',
    )
    pairs = both(setting, 'knn', points, points, k)
    batch = torch.arange(3, device=setting.device).view(-1, 1, 1)
    far = [
        (points[batch, index].double() - points[:, :, None].double()).square().sum(-1)
        for (index,) in pairs
    ]
    same = float((pairs[0][0] == pairs[1][0]).double().mean())
    good = torch.allclose(*far, rtol=1e-4, atol=1e-4)
    row = dict(
        cells=[
            'knn',
            title,
            f'equal distances, {same:.3%} equal indices' if good else 'distances differ',
        ]
    )
    return [row if good else dict(row, failed=f'knn, {title}: distances differ')]


def cases(setting: Setting) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    """Yield names and functions that return rows."""
    sizes = (1, 33, 70) if setting.tiny else (1, 33, 1000, 1024, 2048, 2500, 9000)
    some = dict(batch=2 if setting.tiny else 4)
    for num_points in sizes:
        for kind in KINDS if num_points > 2 else KINDS[:1]:
            points = clouds(setting, kind, num_points=num_points, **some)
            batch = len(points)
            k, samples = min(20, num_points), min(512, num_points)
            query = points[:, : min(num_points, 300)].contiguous()
            first = setting.integers(num_points, batch)
            title = f'{kind} {batch} x {num_points}'
            for op, args in (
                ('farthest_point_sample', (points, first, samples, -1.0)),
                ('farthest_point_sample', (points, first, samples, 1e-3)),
                ('knn', (query, points, k)),
                ('ball_query', (query, points, 0.04, 32, False)),
                ('ball_query', (query, points, 0.04, 32, True)),
                ('three_nn', (query, points)),
                ('nearest_pairs', (query, points)),
            ):
                yield (
                    f'{op}, {title}',
                    lambda op=op, args=args, t=title: compare(setting, op, t, *args),
                )
            if kind in ('random', 'far'):
                for footprint, nearest in ((1, False), (2, True)):
                    args = (query, None, 6, 32, 1.4, footprint, 'y', nearest)
                    yield (
                        f'project_points, {title}',
                        lambda args=args, t=title: compare(
                            setting, 'project_points', t, *args, exact=args[-1]
                        ),
                    )
    for channels in (5, 64, 128, 300):
        for num_points in (70,) if setting.tiny else (300, 1024):
            yield (
                'knn of features',
                lambda n=num_points, c=channels: feature_neighbours(setting, n, c, 20),
            )
            features, index = (
                setting.normal(3, num_points, channels),
                setting.integers(num_points, 3, num_points, 20),
            )
            for dtype in (torch.float32, torch.bfloat16, torch.float64):
                title = f'3 x {num_points} x {channels} {dtype}'
                yield (
                    f'edge_max_sum, {title}',
                    lambda f=features, i=index, d=dtype, t=title: compare(
                        setting, 'edge_max_sum', t, f.to(d), i, exact=False
                    ),
                )
                yield (
                    f'its gradient, {title}',
                    lambda f=features, i=index, d=dtype, t=title: gradients(setting, f.to(d), i, t),
                )


def gradients(setting: Setting, features: Tensor, index: Tensor, title: str) -> list[Row]:
    """The gradient of edge_max_sum, by both of its kernels; the deterministic one twice with equal
    bits.
    """
    grads = [setting.normal(*features.shape).to(features.dtype) for _ in range(2)]
    argmax = backend.implementation('edge_max_sum', 'torch')(features, index)[1]
    args = (*grads, argmax, index, features.shape[1])
    rows = compare(setting, 'edge_max_sum_backward', title, *args, exact=False)
    torch.use_deterministic_algorithms(True)
    try:
        kernel = backend.implementation('edge_max_sum_backward', setting.kernels)
        first, again = kernel(*args), kernel(*args)
    finally:
        torch.use_deterministic_algorithms(False)
    expected = backend.implementation('edge_max_sum_backward', 'torch')(*args)
    good = torch.equal(first, again) and torch.allclose(first, expected, rtol=1e-4, atol=1e-4)
    result = 'equal to rounding and the same bits twice' if good else 'differs'
    row = dict(cells=['edge_max_sum_backward', f'{title}, deterministic', result])
    return [
        *rows,
        row
        if good
        else dict(row, failed=f'edge_max_sum_backward, {title}, deterministic: differs'),
    ]


def rows(setting: Setting) -> Iterator[Row]:
    """Yield a row for each failure, and one for each op and result with the number of cases."""
    counts: dict[tuple[str, str], int] = {}
    start, late = time.monotonic(), 0
    for name, case in cases(setting):
        if time.monotonic() - start > ENOUGH:
            late += 1
            continue
        for row in guarded(name, 3, case):
            if row.get('failed'):
                yield row
            else:
                op, _, result = row['cells']
                result = result.partition(', ')[0]
                counts[op, result] = counts.get((op, result), 0) + 1
    for (op, result), count in sorted(counts.items()):
        yield dict(cells=[op, f'{count} cases', result], count=count)
    if late:
        yield dict(cells=[], failed=f'{late} cases were not reached in {ENOUGH} s')
