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
from pcdet_kd.visualization.point_clouds import draw_point_clouds

_POINTS = 2048  # of a cloud on a page
_ONE_SCALE = 3  # clouds of a sample are drawn to one scale if no radius is larger by this


@dataclass
class Stage:
    """The clouds of a sample after a transform.

    Attributes:
        name: The transform with its arguments.
        clouds: Arrays (N, 3) by name: ``points``, ``points_2``, ...
        unchanged: Names of the transforms after it that left the clouds as they were.
    """

    name: str
    clouds: dict[str, np.ndarray]
    unchanged: list[str] = field(default_factory=list)


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
    clouds, titles, longest = [], [], max(sum(len(s.clouds) for s in x.stages) for x in samples)
    for sample in samples:
        row = [(s, key, cloud) for s in sample.stages for key, cloud in s.clouds.items()]
        for place, (stage, key, cloud) in enumerate(row):
            name = stage.name.split('(')[0] + (f', {key}' if len(stage.clouds) > 1 else '')
            head = f'{sample.title.split(" (")[0]}\n' if place == 0 else ''
            clouds.append(cloud)
            titles.append(f'{head}{name}\n{_count(cloud)}')
        clouds += [None] * (longest - len(row))
        titles += [''] * (longest - len(row))
    return draw_point_clouds(clouds, titles, path, samples[0].up_axis, columns=longest)


def stages_page(samples: Sequence[Browsed], title: str, protocol: Mapping[str, Any]) -> str:
    """Return the page: a row for each sample, whose clouds turn together."""
    intro = (
        'Each row is a sample, first as it is in the files, then after each transform that changes '
        'its points. The clouds of a row turn together. They are drawn to one scale unless their '
        'sizes differ more than threefold.'
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
        _tile(sample, stage, key, f'row {number}', whole)
        for stage in sample.stages
        for key in stage.clouds
    )
    return f'<section><h2>{escape(sample.title)}</h2><div class="tiles">{tiles}</div></section>'


def _tile(sample: Browsed, stage: Stage, key: str, group: str, whole: Any) -> str:
    cloud = stage.clouds[key]
    sizes = ' × '.join(f'{extent:.3g}' for extent in np.ptp(cloud, axis=0))
    middle = ', '.join(
        f'{round(value, 2) + 0.0:.2f}' for value in (cloud.max(axis=0) + cloud.min(axis=0)) / 2
    )
    which = f', {key}' if len(stage.clouds) > 1 else ''
    drawn = viewer.cloud_view(
        cloud[:: -(-len(cloud) // _POINTS)],
        f'{sample.title} after {stage.name}{which}',
        sample.up_axis,
        group=group,
        frame=whole,
    )
    name, _, arguments = stage.name.partition('(')
    then = ''.join(f'<br>then {escape(n.split("(")[0])}: no change' for n in stage.unchanged)
    given = f'<br>{escape(arguments[:-1])}' if arguments[:-1] else ''
    return (
        f'<figure class="tile">{drawn}<figcaption><b>{escape(name + which)}</b>{given}'
        f'<br><span class="dim">{_count(cloud)}, {sizes}, middle {middle}{then}</span>'
        '</figcaption></figure>\n'
    )


def _count(cloud: np.ndarray) -> str:
    """Return the number of points, and that of different ones if points repeat."""
    distinct = len(np.unique(cloud, axis=0))
    return f'{len(cloud):,} points' + f' ({distinct:,} distinct)' * (distinct < len(cloud))
