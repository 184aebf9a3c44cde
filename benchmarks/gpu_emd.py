"""Section ``emd`` of ``gpu.py``: the auction on 132 pairs of clouds, the number of
multiprocessors of an H200.
"""

from collections.abc import Callable, Iterator

import inputs
import torch
from gpu_sections import Row, Setting, guarded
from torch import Tensor

from pcdet_kd import ops
from pcdet_kd.ops import backend


def match(
    setting: Setting,
    name: str,
    make: Callable[..., Tensor],
    pairs: int,
    eps: float | None,
    target: str,
) -> list[Row]:
    """Time one setting and look at its result."""
    n = 48 if setting.tiny else 1024
    x, y = inputs.unit_cubes(make(pairs, n, setting.seed), make(pairs, n, setting.seed + 1))
    x, y = x.to(setting.device), y.to(setting.device)
    backend_used = backend.choose('emd_match', setting.device.type)
    if backend_used.backend != setting.kernels:
        raise RuntimeError(f'emd_match takes {backend_used.backend}: {backend_used.why}')
    index, bound = ops.emd_match(x, y, eps=eps, return_certificate=True)
    again = ops.emd_match(x, y, eps=eps)
    if not torch.equal(index, again):
        raise RuntimeError('two runs differ')
    if not torch.equal(index.sort(1).values, torch.arange(n, device=index.device).expand_as(index)):
        raise RuntimeError('the result is no bijection')
    distance = (x - ops.group(y, index)).norm(dim=2).mean(1)
    proven = float((bound / distance).max())
    with ops.use('torch'):  # SciPy
        best = ops.emd_match(x[:2].cpu(), y[:2].cpu())
    least = (x[:2].cpu() - ops.group(y[:2].cpu(), best)).double().norm(dim=2).mean(1)
    gap = float((distance[:2].cpu() / least - 1).max())
    with ops.use('auto', check_values=False):
        time = setting.milliseconds(lambda: ops.emd_match(x, y, eps=eps), rounds=3)
    cells = [
        name,
        pairs,
        'default' if eps is None else f'{eps:g}',
        f'{time:.4g}',
        f'{proven:.5%}',
        f'{gap:.5%}',
        target,
    ]
    return [dict(cells=cells, ms=time, proven=proven, gap=gap)]


def msn(setting: Setting, name: str, make: Callable[..., Tensor], pairs: int) -> list[Row]:
    """The auction of PointCMT's released code, for comparison."""
    n = 48 if setting.tiny else 1024
    x, y = inputs.unit_cubes(make(pairs, n, setting.seed), make(pairs, n, setting.seed + 1))
    x, y = x.to(setting.device), y.to(setting.device)
    with ops.use('auto', check_values=False):
        time = setting.milliseconds(lambda: ops.emd_match(x, y, compat='msn'), rounds=3)
        distance, least = (
            (x - ops.group(y, found)).norm(dim=2).mean()
            for found in (ops.emd_match(x, y, compat='msn'), ops.emd_match(x, y))
        )
    chosen = backend.choose('msn_match', setting.device.type).backend
    gap = f'{float(distance / least - 1):.3%} (mean)'
    cells = [f"{name}, PointCMT's auction ({chosen})", pairs, '0.05', f'{time:.4g}', '', gap, '']
    return [dict(cells=cells, ms=time)]


def rows(setting: Setting) -> Iterator[Row]:
    """Yield a row for each kind of clouds, number of pairs and accuracy."""
    target = '<= 4 ms, gap <= .01 %'
    makes = {'uniform': inputs.uniform, 'surface': inputs.surface}
    many = 3 if setting.tiny else 132
    settings = (
        ((many, 1e-4),)
        if setting.tiny
        else ((many, 1e-4), (many, 1e-5), (many, None), (32, 1e-4), (256, 1e-4))
    )
    for name, make in makes.items():
        for pairs, eps in settings:
            yield from guarded(
                f'{name}, {pairs} pairs, eps {eps}',
                7,
                lambda a=(name, make, pairs, eps), t=(target if pairs == many and eps == 1e-4 else ''): (  # noqa: E501
                    match(setting, *a, t)
                ),
            )
        yield from guarded(f'{name}, msn', 7, lambda a=(name, make, many): msn(setting, *a))
