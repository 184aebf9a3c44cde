"""All views of several shapes in one image."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pcdet_kd.visualization.canvas import new_figure, save

_GAP = 2  # pixels between views
_GREY = 225


def draw_contact_sheet(
    shapes: Mapping[str, Sequence[np.ndarray]], path: str | Path, title: str = '', columns: int = 10
) -> Path:
    """Draw views in rows, each view with its number from 1, a name above each shape.

    Args:
        shapes: For each shape its name and its views, uint8 (H, W, 3) or (H, W), all of one size.
        path: File to write; its suffix chooses the format.
        title: Of the sheet.
        columns: Views in a row.

    Returns:
        The path.

    Raises:
        ValueError: There is no view, or views have different sizes.
    """
    sizes = {view.shape[:2] for views in shapes.values() for view in views}
    if len(sizes) != 1:
        raise ValueError(f'the views have {len(sizes)} sizes: {sorted(sizes)[:3]}, expected one')
    ((height, width),) = sizes
    rows = [-(-len(views) // columns) for views in shapes.values()]
    widest = min(columns, max(map(len, shapes.values())))
    inches = 1.05 * widest
    tall = [1.05 * height / width * row + 0.28 for row in rows]
    figure = new_figure(inches, sum(tall) + 0.4 * bool(title))
    if title:
        figure.suptitle(title, fontsize=11)
    grid = figure.add_gridspec(len(shapes), 1, height_ratios=tall)
    for place, (name, views) in enumerate(shapes.items()):
        axes = figure.add_subplot(grid[place])
        axes.imshow(sheet(views, widest))
        for number in range(len(views)):
            y, x = divmod(number, widest)
            at = (x * (width + _GAP) + 0.04 * width, y * (height + _GAP) + 0.04 * height)
            axes.annotate(str(number + 1), at, fontsize=6, va='top', color='#777777')
        axes.set_title(name, fontsize=8, loc='left', pad=3)
        axes.set_axis_off()
    return save(figure, path)


def sheet(views: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Return views (H, W) or (H, W, 3) side by side, as one image (rows H', columns W', 3) with
    grey gaps.
    """
    height, width = views[0].shape[:2]
    rows = -(-len(views) // columns)
    shape = (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3)
    image = np.full(shape, _GREY, np.uint8)
    image[(rows - 1) * (height + _GAP) :] = 255
    for number, view in enumerate(views):
        y, x = (k * (size + _GAP) for k, size in zip(divmod(number, columns), (height, width)))
        image[y : y + height, x : x + width] = view if view.ndim == 3 else view[..., None]
    return image
