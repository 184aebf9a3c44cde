"""Clouds coloured by part: the truth and a prediction beside each other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

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
        path: File to write; its suffix chooses the format.
        up_axis: ``'x'``, ``'y'`` or ``'z'``.
        columns: Pairs in a row.

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
    return draw_point_clouds(drawn, texts, path, up_axis, colors, 2 * columns, legends)
