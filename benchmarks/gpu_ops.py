"""Section ``ops`` of ``gpu.py``: times of the ops against torch's own forms and the limits of the
device.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import inputs
import peers
import torch
from gpu_sections import Row, Setting, guarded

from pcdet_kd import ops

Call = Callable[[], Any]


class Limits:
    """What the device was measured to do.

    Attributes:
        bandwidth: Bytes per second of a copy, read and written.
        bf16: Multiply-adds, counted as 2, per second of a bf16 matrix product.
        fp32: The same in float32.
    """

    def __init__(self, setting: Setting) -> None:
        size = 1 << (12 if setting.tiny else 30)
        source = torch.empty(size, dtype=torch.uint8, device=setting.device)
        target = torch.empty_like(source)
        self.bandwidth = 2 * size / setting.milliseconds(lambda: target.copy_(source)) * 1e3
        side = 64 if setting.tiny else 8192
        self.bf16, self.fp32 = (
            self._product(setting, side, dtype) for dtype in (torch.bfloat16, torch.float32)
        )

    @staticmethod
    def _product(setting: Setting, side: int, dtype: torch.dtype) -> float:
        a, b = (setting.normal(side, side).to(dtype) for _ in range(2))
        return 2 * side**3 / setting.milliseconds(lambda: a @ b) * 1e3

    def text(self) -> str:
        """Return the three, in words."""
        return (
            f'copies {self.bandwidth / 1e12:.2f} TB/s, products in bf16 {self.bf16 / 1e12:.0f} '
            f'and in float32 {self.fp32 / 1e12:.1f} TFLOP/s'
        )


def cases(
    setting: Setting, limits: Limits, batch: int
) -> Iterator[tuple[str, Call, dict[str, Call], float, str]]:
    """Yield title, our call, peers by name, the least time in seconds that the device allows, and
    the target.
    """
    n, m = (64, 32) if setting.tiny else (1024, 512)
    points = inputs.surface(batch, n, setting.seed).to(setting.device)
    other = inputs.surface(batch, n, setting.seed + 1).to(setting.device)
    centres = points[:, :m].contiguous()
    k = min(20, n)
    pair_work = 8 / limits.fp32  # seconds for one squared distance in space
    yield (
        f'fps {n} -> {m}',
        lambda: ops.farthest_point_sample(points, m),
        {'Python loop': lambda: peers.farthest_point_sample(points, m)},
        batch * n * m * pair_work,
        'pointnet2_ops: >= 3',
    )
    yield (
        f'knn {n}, k={k}',
        lambda: ops.knn(points, points, k),
        {
            'bmm + topk': lambda: (
                peers.square_distance(points, points).topk(k, largest=False).indices
            ),
            'cdist + topk': lambda: torch.cdist(points, points).topk(k, largest=False).indices,
        },
        batch * n * n * pair_work,
        '>= 5',
    )
    for channels in (64, 128):
        features = setting.normal(batch, n, channels)
        yield (
            f'knn of {channels} channels',
            lambda f=features: ops.knn(f, f, k),
            {
                'bmm + topk': lambda f=features: (
                    peers.square_distance(f, f).topk(k, largest=False).indices
                )
            },
            batch * n * n * 2 * channels / limits.fp32,
            '>= 2',
        )
    yield (
        f'ball {m}, k=32',
        lambda: ops.ball_query(centres, points, 0.2, 32),
        {'distances + sort': lambda: peers.ball_query(centres, points, 0.2, 32)},
        batch * n * m * pair_work,
        'pointnet2_ops: >= 5',
    )
    features, index = setting.normal(batch, n, 64), ops.ball_query(centres, points, 0.2, 32)
    moved = index.numel() * (2 * 64 * 4 + 8) / limits.bandwidth
    yield (
        f'group {m} x 32 x 64',
        lambda: ops.group(features, index),
        {'advanced indexing': lambda: peers.index_points(features, index)},
        moved,
        '80 % of the copy rate',
    )
    for dtype in (torch.float32, torch.bfloat16):
        leaf, edges = features.to(dtype).requires_grad_(), ops.knn(points, points, k)
        wide = 4 if dtype == torch.float32 else 2
        yield (
            f'edge_max_sum {n} x {k} x 64 {str(dtype)[6:]}, with gradient',
            lambda x=leaf, i=edges: edge_ours(x, i),
            {'gather, max, sum': lambda x=leaf, i=edges: edge_usual(x, i)},
            batch * n * 64 * (2 * k * wide + 2 * 8 + 4 * 4) / limits.bandwidth,
            '',
        )
    known = setting.normal(batch, m, 64)
    yield (
        f'three_interpolate {m} -> {n}',
        lambda: ops.three_interpolate(points, centres, known),
        {'distances + sort': lambda: peers.three_interpolate(points, centres, known)},
        batch * n * m * pair_work,
        '',
    )
    leaf = points.clone().requires_grad_()
    yield (
        'chamfer, with gradient',
        lambda: gradient(ops.chamfer_distance(leaf, other).sum(), leaf),
        {'cdist, min': lambda: gradient(chamfer_usual(leaf, other), leaf)},
        2 * batch * n * n * pair_work,
        'pytorch3d: >= 3',
    )
    yield (
        'project_points 6 x 128 x 128',
        lambda: ops.project_points(points),
        {'plain torch': plain(lambda: ops.project_points(points))},
        batch * 6 * 128 * 128 * 4 / limits.bandwidth,
        'PCViews: >= 5',
    )


def plain(function: Call) -> Call:
    """Return a call under plain torch."""

    def call() -> Any:
        with ops.use('torch', check_values=False):
            return function()

    return call


def gradient(loss: torch.Tensor, leaf: torch.Tensor) -> torch.Tensor:
    """Return the gradient of a loss."""
    return torch.autograd.grad(loss, leaf)[0]


def edge_ours(features: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Maximum and sum over neighbours and a gradient through both."""
    highest, _, total = ops.edge_max_sum(features, index)
    return gradient(highest.sum() + total.sum(), features)


def edge_usual(features: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """The same with the tensor of the edges."""
    edges = peers.index_points(features, index)
    return gradient(edges.amax(2).float().sum() + edges.sum(2).float().sum(), features)


def chamfer_usual(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Chamfer distance through the matrix of distances."""
    d = peers.square_distance(x, y)
    return (d.amin(2).mean(1) + d.amin(1).mean(1)).sum()


def rows(setting: Setting) -> Iterator[Row]:
    """Yield the device's limits and a row for each op, batch size and peer."""
    limits = Limits(setting)
    yield dict(cells=['limits', '', '', '', limits.text(), '', '', '', ''], limits=vars(limits))
    for batch in (2, 3) if setting.tiny else (32, 256):
        with ops.use('auto', check_values=False):
            for title, ours, others, least, target in cases(setting, limits, batch):
                yield from guarded(
                    f'{title}, B={batch}',
                    9,
                    partial(measure, setting, batch, title, ours, others, least, target),
                )
        if setting.device.type == 'cuda':
            torch.cuda.empty_cache()


def measure(
    setting: Setting,
    batch: int,
    title: str,
    ours: Call,
    others: dict[str, Call],
    least: float,
    target: str,
) -> list[Row]:
    """Return the rows of one op."""
    time, graph = setting.milliseconds(ours), setting.graphed(ours)
    share = least * 1e3 / (graph or time)
    found = []
    for name, call in others.items():
        theirs = setting.milliseconds(call, rounds=3, aim=10.0)
        cells = [
            title,
            batch,
            f'{time:.4g}',
            '' if graph is None else f'{graph:.4g}',
            name,
            f'{theirs:.4g}',
            f'{theirs / time:.3g}',
            f'{share:.1%}',
            target,
        ]
        found.append(
            dict(
                cells=cells,
                op=title,
                batch=batch,
                ms=time,
                graph_ms=graph,
                peer=name,
                peer_ms=theirs,
                of_limit=share,
            )
        )
    return found
