"""The views that an image network is given, side by side."""

import base64
from html import escape

import cv2
import numpy as np

from pcdet_kd.visualization.contact_sheet import sheet

COLUMNS = 10  # views in a row of a strip
_LARGEST, _SMALLEST = 128, 96  # pixels of a view on a page


def pixels(views: np.ndarray) -> np.ndarray:
    """Return views as images that can be shown.

    Bytes, and numbers in [0, 1], are shown as they are. Others, such as depths or images that were
    normalised for a network, are scaled so that the lowest value of each channel in all views is
    black and the highest is white.

    Args:
        views: (V, C, H, W), uint8 or float. Of more than three channels the first three are shown.

    Returns:
        (V, H, W, 3) uint8.

    Raises:
        ValueError: The views have another number of axes, or two channels.
    """
    if views.ndim != 4 or views.shape[1] == 2:
        raise ValueError(f'views have shape {views.shape}, expected (V, 1 or 3 or more, H, W)')
    shown = views[:, :3].transpose(0, 2, 3, 1)
    if shown.dtype != np.uint8:
        low, high = shown.min(axis=(0, 1, 2)), shown.max(axis=(0, 1, 2))
        if low.min() < 0 or high.max() > 1:
            shown = (shown - low) / np.maximum(high - low, 1e-12)
        shown = np.rint(255 * shown).astype(np.uint8)
    return np.repeat(shown, 3, axis=3) if shown.shape[3] == 1 else shown


def view_strip(views: np.ndarray) -> np.ndarray:
    """Return views (V, C, H, W) as one image (rows H', columns W', 3) uint8; see
    :func:`pixels`.
    """
    return sheet(pixels(views), min(COLUMNS, len(views)))


def strip_image(views: np.ndarray, label: str) -> str:
    """Return the HTML of a strip of views (V, C, H, W), as an image within the page.

    Args:
        views: See :func:`pixels`. Large ones are made smaller, to 128 pixels; small ones are shown
            larger.
        label: What a screen reader says.
    """
    shown = pixels(views)
    height, width = shown.shape[1:3]
    factor = min(1.0, _LARGEST / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = [cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in shown]
    strip = sheet(small, min(COLUMNS, len(small)))
    code = base64.b64encode(cv2.imencode('.png', strip[..., ::-1])[1].tobytes()).decode()
    zoom = max(1, _SMALLEST // max(size))
    return (
        f'<img class="strip" alt="{escape(label)}" src="data:image/png;base64,{code}" '
        f'width="{zoom * strip.shape[1]}" height="{zoom * strip.shape[0]}">'
    )
