"""Point clouds as vector images: a dot per point, nearer ones darker."""

from collections.abc import Mapping, Sequence
from typing import Any

from pcdet_kd.robustness.report.tables import pretty
from pcdet_kd.visualization.svg import element, svg, text
from pcdet_kd.visualization.viewer import still_dots

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
        dots = ''.join(still_dots(entry['points'], up_axis, side, _MOST))
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
