"""Clouds coloured by how much each point speaks for a class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import numpy as np

from pcdet_kd.utils.files import write_whole
from pcdet_kd.visualization import page as frame
from pcdet_kd.visualization import viewer
from pcdet_kd.visualization.point_clouds import draw_point_clouds

_AGAINST, _NEUTRAL, _FOR = (0, 90, 181), (205, 205, 205), (220, 50, 32)
_STEPS = 32  # of colour on either side
_FULL = 0.98  # quantile of the saliency whose colour is full


class Dropped(NamedTuple):
    """What the model says without some points: its class, and the score of the class that was
    asked for.
    """

    predicted: str
    score: float


@dataclass
class SaliencyMap:
    """A cloud with the saliency of its points.

    Attributes:
        name: Of the cloud.
        points: (N, 3).
        saliency: (N,), above zero where a point speaks for the class.
        label: The class.
        score: Its probability.
        salient: Without the share of the points that is most salient.
        chance: Without the same number of points drawn by chance.
        share: Of the points that were dropped.
    """

    name: str
    points: np.ndarray
    saliency: np.ndarray
    label: str
    score: float
    salient: Dropped
    chance: Dropped
    share: float


def saliency_steps(saliency: np.ndarray) -> np.ndarray:
    """Return the steps (N,) of the palette: the middle for 0, the ends for the 98 % quantile of
    the amounts and above.
    """
    saliency = np.asarray(saliency, np.float64)
    full = np.quantile(np.abs(saliency), _FULL) or 1.0
    return np.rint(_STEPS * (1 + np.clip(saliency / full, -1, 1))).astype(int)


def palette() -> np.ndarray:
    """Return the colours (2 S + 1, 3) in [0, 1]: blue, grey, red."""
    share = np.linspace(-1, 1, 2 * _STEPS + 1)[:, None]
    ends = np.where(share < 0, _AGAINST, _FOR)
    return (np.array(_NEUTRAL) + np.abs(share) * (ends - np.array(_NEUTRAL))) / 255


def write_saliency(
    maps: Sequence[SaliencyMap],
    path: str | Path,
    up_axis: str,
    failed: Sequence[Mapping[str, str]] = (),
    protocol: Mapping[str, Any] | None = None,
) -> Path:
    """Write the maps.

    Args:
        maps: At least one.
        path: ``.html`` for a page, any other ending for an image.
        up_axis: Of the points.
        failed: Dicts with ``reason``, listed on a page.
        protocol: What to say about model and clouds on a page, by key.

    Returns:
        The path.
    """
    if Path(path).suffix == '.html':
        write_whole(path, _page(maps, up_axis, failed, protocol or {}))
        return Path(path)
    titles = [
        f'{PurePath(m.name).name}\n{m.label} {100 * m.score:.0f} %\n'
        f'without salient {100 * m.share:.0f} %: {100 * m.salient.score:.0f} %\n'
        f'without random {100 * m.share:.0f} %: {100 * m.chance.score:.0f} %'
        for m in maps
    ]
    colors = [palette()[saliency_steps(m.saliency)] for m in maps]
    return draw_point_clouds([m.points for m in maps], titles, path, up_axis, colors)


def _page(
    maps: Sequence[SaliencyMap], up_axis: str, failed: Sequence[Mapping], protocol: Mapping
) -> str:
    lead = (
        'Red points speak for the class, blue ones against it: by how much the loss would grow, to '
        'first order, if a point were moved to the middle of the cloud.'
    )
    lost = ''.join(
        f'<li>not read: {escape(" ".join(row["reason"].split()))}</li>' for row in failed
    )
    body = [
        frame.header('Point-cloud classification', 'Saliency of points', lead),
        frame.protocol('Model and clouds', protocol),
        f'<ul>{lost}</ul>' if lost else '',
        f'<p>{escape(viewer.HELP)}</p>',
        f'<div class="tiles">{"".join(_tile(m, up_axis) for m in maps)}</div>',
        '<footer>Zheng et al., PointCloud Saliency Maps, ICCV 2019. Colours are full at the 98 % '
        'quantile of each cloud. All points to drop are chosen at once.</footer>',
    ]
    return frame.page('Saliency', body, [viewer.SCRIPT], [viewer.STYLE], wide=True)


def _tile(each: SaliencyMap, up_axis: str) -> str:
    colors = ['#' + ''.join(f'{round(255 * c):02x}' for c in color) for color in palette()]
    label = f'{each.name}: saliency for {each.label}'
    steps = saliency_steps(each.saliency)
    drawn = viewer.cloud_view(each.points, label, up_axis, steps, colors)
    rows = [
        (f'without the {100 * each.share:.0f} % most salient', each.salient),
        (f'without {100 * each.share:.0f} % by chance', each.chance),
    ]
    words = ''.join(
        f'<br>{text}: {100 * dropped.score:.0f} %'
        + (f', now {escape(dropped.predicted)}' if dropped.predicted != each.label else '')
        for text, dropped in rows
    )
    return (
        f'<figure class="tile">{drawn}<figcaption><span class="dim" title="{escape(each.name)}">'
        f'{escape(PurePath(each.name).name)}</span><br><b>{escape(each.label)}</b> '
        f'{100 * each.score:.0f} %{words}</figcaption></figure>\n'
    )
