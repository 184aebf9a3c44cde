"""Point clouds of a report, to turn, with what they are and what was predicted."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pcdet_kd.robustness.report.tables import pretty
from pcdet_kd.visualization.viewer import cloud_view

_MOST = 1500  # points of a cloud


def cloud_tiles(worst: Sequence[Mapping[str, Any]], classes: Sequence[str], up_axis: str) -> str:
    """Return clouds with their set, their true class and their predicted class.

    Args:
        worst: Entries with ``points`` (N, 3), ``corruption``, ``severity``, ``gt``, ``pred``,
            ``score`` and ``sample``.
        classes: Names of the classes.
        up_axis: Upright axis of the clouds.
    """
    tiles = []
    for entry in worst:
        points = entry['points'][:: -(-len(entry['points']) // _MOST)]
        where = f'{pretty(entry["corruption"])} {entry["severity"]}'
        true = f'{pretty(classes[entry["gt"]])}, no. {entry["sample"]}'
        told = f'→ {pretty(classes[entry["pred"]])} {100 * entry["score"]:.0f} %'
        words = f'<b>{escape(where)}</b><br>{escape(true)}<br>{escape(told)}'
        view = cloud_view(points, f'{where}: {true} {told}', up_axis)
        tiles.append(f'<figure class="tile">{view}<figcaption>{words}</figcaption></figure>')
    return f'<div class="tiles">{"".join(tiles)}</div>'
