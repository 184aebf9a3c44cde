"""Point clouds as vector images: a dot per point, nearer ones darker."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pcdet_kd.robustness.report.svg import element, svg, text
from pcdet_kd.robustness.report.tables import pretty
from pcdet_kd.visualization.point_clouds import orthographic

_DEPTHS = ('#c3cfdb', '#93a9bf', '#6484a3', '#3b6188', '#163a5f')  # far to near
_MOST = 1500  # points per image


def cloud_grid(
    worst: Sequence[Mapping[str, Any]],
    classes: Sequence[str],
    up_axis: str,
    width: int = 720,
    columns: int = 5,
) -> str:
    """Draw clouds in a grid with their true class, their predicted class and their set.

    Args:
        worst: Entries with ``points`` (N, 3), ``corruption``, ``severity``, ``gt``, ``pred``,
            ``score`` and ``sample``.
        classes: Names of the classes.
        up_axis: Upright axis of the clouds.
        width: Width of the image.
        columns: Clouds in a row.
    """
    cell = width / columns
    side, tall = cell - 14, cell + 44
    out = []
    for i, entry in enumerate(worst):
        x, y = (i % columns) * cell, (i // columns) * tall
        dots = ''.join(_dots(entry['points'], up_axis, side))
        told = (
            (14, f'{pretty(entry["corruption"])} {entry["severity"]}', 'strong'),
            (28, f'{pretty(classes[entry["gt"]])}, no. {entry["sample"]}', None),
            (42, f'→ {pretty(classes[entry["pred"]])} {100 * entry["score"]:.0f} %', None),
        )
        out += [
            element('g', dots, transform=f'translate({x + 7:.1f} {y + 2:.1f})'),
            *(text(x + cell / 2, y + side + h, t, 'middle', class_=c) for h, t, c in told),
        ]
    rows = -(-len(worst) // columns)
    return svg(width, rows * tall - 4, out, 'The most confident mistakes')


def _dots(points: np.ndarray, up_axis: str, side: float) -> list[str]:
    """Return a path per depth, the farthest first; a dot is a line of no length with round ends."""
    points = np.asarray(points, np.float64)[:: -(-len(points) // _MOST)]
    view = orthographic(points, up_axis)
    low, high = view[:, :2].min(axis=0), view[:, :2].max(axis=0)
    scale = 0.94 * side / max(float((high - low).max()), 1e-9)
    place = (view[:, :2] - (low + high) / 2) * scale * (1, -1) + side / 2
    order = (
        np.argsort(np.argsort(view[:, 2], kind='stable'), kind='stable')
        * len(_DEPTHS)
        // len(points)
    )
    size = float(np.clip(60 / np.sqrt(len(points)), 1.5, 3.2))
    look = dict(stroke_width=size, stroke_linecap='round', fill='none')
    dots = (
        ''.join(f'M{x:.1f} {y:.1f}h0' for x, y in place[order == depth])
        for depth in range(len(_DEPTHS))
    )
    return [element('path', d=d, stroke=color, **look) for d, color in zip(dots, _DEPTHS) if d]
