"""Point clouds on pages: to turn and zoom with a script, as a still picture without."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.visualization.point_clouds import orthographic
from pcdet_kd.visualization.svg import element, svg

SCRIPT, STYLE = 'viewer.js', 'viewer.css'
FULL = 32767  # of int16: the radius of a cloud
DEPTHS = ('#c3cfdb', '#93a9bf', '#6484a3', '#3b6188', '#163a5f')  # far to near
HELP = (
    'Drag a cloud to turn it, or use the arrow keys. Click it, then the wheel zooms; two fingers '
    'or the keys + and − do too. A double click, or 0, resets the view.'
)
_STILL = 400  # points of a still picture


def frame_of(*clouds: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the middle (3,) of the box around all points and the radius of the ball around it that
    holds them, in the points' unit; 1 for a cloud without extent.

    Args:
        clouds: Arrays (N_i, 3) to be drawn to one scale.
    """
    points = np.concatenate([np.asarray(cloud, np.float64)[:, :3] for cloud in clouds])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return middle, float(np.linalg.norm(points - middle, axis=1).max()) or 1.0


def quantised(
    points: np.ndarray, up_axis: str = 'z', frame: tuple[np.ndarray, float] | None = None
) -> np.ndarray:
    """Return the points as the script takes them: (N, 3) int16 with z up, where 32767 is the radius
    of the frame. What is outside of the frame is moved to its box.

    Args:
        points: (N, 3).
        up_axis: ``'x'``, ``'y'`` or ``'z'``.
        frame: Middle and radius; None: :func:`frame_of` the points.

    Raises:
        ValueError: The axis has another name.
    """
    check_choice('up_axis', up_axis, ('x', 'y', 'z'))
    middle, radius = frame or frame_of(points)
    up = 'xyz'.index(up_axis)
    unit = (np.asarray(points, np.float64)[:, :3] - middle) / radius
    unit = unit[:, [(up + 1) % 3, (up + 2) % 3, up]]
    return np.rint(FULL * unit.clip(-1, 1)).astype('<i2')


def encoded(array: np.ndarray) -> str:
    """Return the bytes of an array as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def cloud_view(
    points: np.ndarray,
    label: str,
    up_axis: str = 'z',
    values: np.ndarray | None = None,
    palette: Sequence[str] = (),
    group: str = '',
    frame: tuple[np.ndarray, float] | None = None,
) -> str:
    """Return the HTML of a cloud; the page needs the script :data:`SCRIPT` and the style
    :data:`STYLE`.

    Colour is height, unless values are given. Without scripts, a still picture is shown.

    Args:
        points: (N, 3).
        label: What a screen reader says.
        up_axis: ``'x'``, ``'y'`` or ``'z'``.
        values: (N,): with a palette the index of each point's colour, without one numbers in
            [0, 1].
        palette: Colours as ``#rrggbb``, at most 256.
        group: Clouds of one group turn together.
        frame: See :func:`quantised`.

    Raises:
        ValueError: There is not one value for each point.
    """
    points = np.asarray(points)[:, :3]
    told = {'points': encoded(quantised(points, up_axis, frame))}
    if values is not None:
        values = np.asarray(values)
        if values.shape != (len(points),):
            raise ValueError(f'values have shape {values.shape}, expected ({len(points)},)')
        whole = values if palette else np.rint(255 * np.clip(values, 0, 1))
        told['values'] = encoded(whole.astype(np.uint8))
    told.update(palette=' '.join(palette), group=group)
    data = ''.join(f' data-{key}="{escape(text)}"' for key, text in told.items() if text)
    still = svg(200, 200, still_dots(points, up_axis, 200, _STILL), label)
    return (
        f'<canvas class="cloud" hidden tabindex="0" role="img" aria-label="{escape(label)}"{data}>'
        f'</canvas><noscript>{still}</noscript>'
    )


def still_dots(points: np.ndarray, up_axis: str, side: float, most: int) -> list[str]:
    """Return a cloud as SVG paths in a square: one per depth, the farthest first.

    A dot is a line of no length with round ends; nearer ones are darker.

    Args:
        points: (N, 3).
        up_axis: ``'x'``, ``'y'`` or ``'z'``.
        side: Of the square, in pixels.
        most: Points to draw; of more, each second, third, ... is taken.
    """
    points = np.asarray(points, np.float64)[:: -(-len(points) // most)]
    view = orthographic(points, up_axis)
    low, high = view[:, :2].min(axis=0), view[:, :2].max(axis=0)
    scale = 0.94 * side / max(float((high - low).max()), 1e-9)
    place = (view[:, :2] - (low + high) / 2) * scale * (1, -1) + side / 2
    order = np.argsort(np.argsort(view[:, 2], kind='stable'), kind='stable')
    order = order * len(DEPTHS) // len(points)
    size = float(np.clip(60 / np.sqrt(len(points)), 1.5, 3.2))
    look = dict(stroke_width=size, stroke_linecap='round', fill='none')
    dots = (
        ''.join(f'M{x:.1f} {y:.1f}h0' for x, y in place[order == depth])
        for depth in range(len(DEPTHS))
    )
    return [element('path', d=d, stroke=color, **look) for d, color in zip(dots, DEPTHS) if d]
