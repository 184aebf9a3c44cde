"""Samples after each transform of a pipeline, side by side, as a page or a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.utils.files import write_whole
from pcdet_kd.visualization import page as frame
from pcdet_kd.visualization import viewer
from pcdet_kd.visualization.canvas import new_figure, save
from pcdet_kd.visualization.point_clouds import CELL, add_cloud
from pcdet_kd.visualization.view_strip import strip_image, view_strip

_POINTS = 2048  # of a cloud on a page
_STRIP = 3  # cells that a strip of views takes in an image
_ONE_SCALE = 3  # clouds of a sample are drawn to one scale if no radius is larger by this


@dataclass
class Stage:
    """What a transform made of the clouds and the views of a sample.

    Attributes:
        name: The transform with its arguments.
        clouds: Arrays (N, 3) by name: ``points``, ``points_2``, ...
        unchanged: Names of the transforms after it that left clouds and views as they were.
        views: Arrays (V, C, H, W) by name: what an image network is given.
    """

    name: str
    clouds: dict[str, np.ndarray]
    unchanged: list[str] = field(default_factory=list)
    views: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Browsed:
    """A sample: its title, the axis that points up, and its stages."""

    title: str
    up_axis: str
    stages: list[Stage]


def write_stages(
    samples: Sequence[Browsed], path: str | Path, title: str, protocol: Mapping[str, Any]
) -> Path:
    """Write samples with their stages.

    Args:
        samples: At least one.
        path: ``.html`` for a page, any other ending for an image.
        title: Of the page.
        protocol: What to say about the data, by key; not in images.

    Returns:
        The path.
    """
    if Path(path).suffix == '.html':
        write_whole(path, stages_page(samples, title, protocol))
        return Path(path)
    return _draw(samples, path)


def _draw(samples: Sequence[Browsed], path: str | Path) -> Path:
    """Draw a row for each sample: clouds, and strips of views, which are wider."""
    wide = [
        sum(len(s.clouds) + sum(map(_width, s.views.values())) for s in sample.stages)
        for sample in samples
    ]
    figure = new_figure(CELL[0] * max(wide), CELL[1] * len(samples))
    grid = figure.add_gridspec(len(samples), max(wide))
    for row, sample in enumerate(samples):
        place = 0
        for stage in sample.stages:
            several = len(stage.clouds) + len(stage.views) > 1
            for key, array in (*stage.clouds.items(), *stage.views.items()):
                head = f'{sample.title.split(" (")[0]}\n' if place == 0 else ''
                title = head + stage.name.split('(')[0] + f', {key}' * several
                width = _width(array)
                axes = figure.add_subplot(grid[row, place : place + width])
                if key in stage.clouds:
                    add_cloud(axes, array, f'{title}\n{_count(array)}', sample.up_axis)
                else:
                    axes.imshow(view_strip(array))
                    axes.set_axis_off()
                    axes.set_title(f'{title}\n{_size(array)}', fontsize=9)
                place += width
    return save(figure, path)


def _width(array: np.ndarray) -> int:
    """Return how many cells a cloud (N, 3) or views (V, C, H, W) take."""
    return min(_STRIP, len(array)) if array.ndim == 4 else 1


def stages_page(samples: Sequence[Browsed], title: str, protocol: Mapping[str, Any]) -> str:
    """Return the page: a row for each sample, whose clouds turn together."""
    intro = (
        'Each row is a sample, first as it is in the files, then after each transform that changes '
        'its points or its views. The clouds of a row turn together. They are drawn to one scale '
        'unless their sizes differ more than threefold.'
    )
    body = [
        frame.header('Point-cloud classification', title),
        frame.protocol('Data', protocol),
        f'<p>{intro} {escape(viewer.HELP)}</p>',
        *(_row(sample, number) for number, sample in enumerate(samples)),
    ]
    return frame.page(title, body, [viewer.SCRIPT], [viewer.STYLE], wide=True)


def _row(sample: Browsed, number: int) -> str:
    clouds = [cloud for stage in sample.stages for cloud in stage.clouds.values()]
    radii = [viewer.frame_of(cloud)[1] for cloud in clouds]
    whole = viewer.frame_of(*clouds) if max(radii) < _ONE_SCALE * min(radii) else None
    tiles = ''.join(
        ''.join(_tile(sample, stage, key, f'row {number}', whole) for key in stage.clouds)
        + ''.join(_strip(sample, stage, key) for key in stage.views)
        for stage in sample.stages
    )
    return f'<section><h2>{escape(sample.title)}</h2><div class="tiles">{tiles}</div></section>'


def _tile(sample: Browsed, stage: Stage, key: str, group: str, whole: Any) -> str:
    cloud = stage.clouds[key]
    sizes = ' × '.join(f'{extent:.3g}' for extent in np.ptp(cloud, axis=0))
    middle = ', '.join(
        f'{round(value, 2) + 0.0:.2f}' for value in (cloud.max(axis=0) + cloud.min(axis=0)) / 2
    )
    label, caption = _words(sample, stage, key, f'{_count(cloud)}, {sizes}, middle {middle}')
    drawn = viewer.cloud_view(
        cloud[:: -(-len(cloud) // _POINTS)], label, sample.up_axis, group=group, frame=whole
    )
    return f'<figure class="tile">{drawn}{caption}</figure>\n'


def _strip(sample: Browsed, stage: Stage, key: str) -> str:
    views = stage.views[key]
    label, caption = _words(sample, stage, key, _size(views))
    return f'<figure class="tile across">{strip_image(views, label)}{caption}</figure>\n'


def _words(sample: Browsed, stage: Stage, key: str, facts: str) -> tuple[str, str]:
    """Return what a screen reader says, and the caption."""
    which = f', {key}' if len(stage.clouds) + len(stage.views) > 1 else ''
    name, _, arguments = stage.name.partition('(')
    then = ''.join(f'<br>then {escape(n.split("(")[0])}: no change' for n in stage.unchanged)
    given = f'<br>{escape(arguments[:-1])}' if arguments[:-1] else ''
    return f'{sample.title} after {stage.name}{which}', (
        f'<figcaption><b>{escape(name + which)}</b>{given}'
        f'<br><span class="dim">{facts}{then}</span></figcaption>'
    )


def _count(cloud: np.ndarray) -> str:
    """Return the number of points, and that of different ones if points repeat."""
    distinct = len(np.unique(cloud, axis=0))
    return f'{len(cloud):,} points' + f' ({distinct:,} distinct)' * (distinct < len(cloud))


def _size(views: np.ndarray) -> str:
    count, _, height, width = views.shape
    return f'{count} views, {height} × {width} pixels'
