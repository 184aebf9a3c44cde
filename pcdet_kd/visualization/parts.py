"""Clouds coloured by part: the truth and a prediction beside each other."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from pcdet_kd.utils.files import write_whole
from pcdet_kd.visualization import page as frame
from pcdet_kd.visualization import viewer
from pcdet_kd.visualization.point_clouds import draw_point_clouds

# Colours that people with colour-blindness can tell apart (Okabe and Ito, 2008), black left out.
PALETTE = (
    (0.00, 0.45, 0.70),
    (0.90, 0.62, 0.00),
    (0.00, 0.62, 0.45),
    (0.80, 0.47, 0.65),
    (0.34, 0.71, 0.91),
    (0.84, 0.37, 0.00),
    (0.94, 0.89, 0.26),
)
UNLABELLED = (0.75, 0.75, 0.75)


def part_colors(labels: np.ndarray, parts: Sequence[int]) -> np.ndarray:
    """Return the colour (N, 3) of each point: that of its part's place among the parts of the
    class, grey for a point of no part or of another class's.

    Args:
        labels: (N,) parts.
        parts: The parts of the class.
    """
    colors = np.tile(UNLABELLED, (len(labels), 1))
    for place, part in enumerate(parts):
        colors[labels == part] = PALETTE[place % len(PALETTE)]
    return colors


def draw_parts(
    clouds: Sequence[np.ndarray],
    true: Sequence[np.ndarray],
    predicted: Sequence[np.ndarray],
    parts: Sequence[Sequence[int]],
    part_names: Sequence[str],
    titles: Sequence[tuple[str, str]],
    path: str | Path,
    up_axis: str = 'y',
    columns: int = 2,
) -> Path:
    """Draw each cloud twice, coloured by its true and by its predicted parts.

    Args:
        clouds: Arrays (N_i, 3).
        true: (N_i,) parts of each cloud, -1 for none.
        predicted: (N_i,) likewise.
        parts: For each cloud the parts of its class.
        part_names: Names of all parts; of ``chair/leg``, ``leg`` is shown.
        titles: For each cloud the title of the truth and that of the prediction.
        path: File to write: ``.html`` for a page whose clouds can be turned, any other suffix for
            an image.
        up_axis: ``'x'``, ``'y'`` or ``'z'``.
        columns: Pairs in a row of an image.

    Returns:
        The path.
    """
    drawn, colors, texts, legends = [], [], [], []
    for cloud, truth, guess, own, pair in zip(clouds, true, predicted, parts, titles):
        for labels, title in zip((truth, guess), pair):
            drawn.append(cloud)
            colors.append(part_colors(labels, own))
            texts.append(title)
            legends.append(
                {
                    part_names[part].split('/')[-1]: PALETTE[place % len(PALETTE)]
                    for place, part in enumerate(own)
                    if (labels == part).any()
                }
            )
    if Path(path).suffix == '.html':
        write_whole(path, _page(drawn, colors, texts, legends, up_axis))
        return Path(path)
    return draw_point_clouds(drawn, texts, path, up_axis, colors, 2 * columns, legends)


def _page(
    clouds: Sequence[np.ndarray],
    colors: Sequence[np.ndarray],
    titles: Sequence[str],
    legends: Sequence[dict[str, tuple[float, ...]]],
    up_axis: str,
) -> str:
    """Return a page of pairs; the clouds of a pair turn together."""
    known = [UNLABELLED, *PALETTE]
    palette = [_hex(color) for color in known]
    tiles = []
    for number, (cloud, color, title, legend) in enumerate(zip(clouds, colors, titles, legends)):
        index = np.abs(color[:, None] - np.array(known)).sum(axis=2).argmin(axis=1)
        group = f'pair {number // 2}'
        view = viewer.cloud_view(cloud, title, up_axis, index, palette, group)
        names = ' '.join(
            f'<span style="white-space: nowrap"><span style="color: {_hex(c)}">●</span> '
            f'{escape(name)}</span>'
            for name, c in legend.items()
        )
        words = f'<b>{escape(title)}</b><br>{names}'
        tiles.append(f'<figure class="tile">{view}<figcaption>{words}</figcaption></figure>')
    pairs = [f'<div class="pair">{one}{other}</div>' for one, other in zip(tiles[::2], tiles[1::2])]
    body = [
        frame.header('Part segmentation', 'True and predicted parts'),
        f'<p>The two clouds of a pair turn together. {escape(viewer.HELP)}</p>',
        f'<div class="tiles">{"".join(pairs)}</div>',
    ]
    return frame.page('Parts', body, [viewer.SCRIPT], [viewer.STYLE], wide=True)


def _hex(color: Sequence[float]) -> str:
    return '#' + ''.join(f'{round(255 * part):02x}' for part in color)
