"""Features of many clouds as points of a plane, coloured by class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pcdet_kd.visualization.canvas import GREY, new_figure, save

_MARKS = 'os^Dv'


def draw_embedding(
    places: np.ndarray, labels: np.ndarray, classes: Sequence[str], path: str | Path, title: str
) -> Path:
    """Draw an embedding: a dot per cloud, the name of a class at the median of its dots.

    Colours repeat after 20 classes, with another marker.

    Args:
        places: (n, 2).
        labels: (n,) classes.
        classes: Names of the K classes; those without a cloud are left out.
        path: File to write; its suffix chooses the format.
        title: Says model, split, number of clouds.

    Returns:
        The path.
    """
    places, labels = np.asarray(places), np.asarray(labels)
    from matplotlib import colormaps

    colors = colormaps['tab20'].colors
    figure = new_figure(8.6, 6.4)
    axes = figure.add_subplot()
    for label in np.unique(labels):
        x, y = places[labels == label].T
        look = dict(color=colors[label % 20], marker=_MARKS[label // 20 % len(_MARKS)])
        axes.scatter(x, y, s=13, linewidths=0, alpha=0.9, label=classes[label], **look)
        box = dict(facecolor='white', alpha=0.65, edgecolor='none', pad=0.6)
        middle = (np.median(x), np.median(y))
        axes.annotate(classes[label], middle, ha='center', va='center', fontsize=7.5, bbox=box)
    axes.set_title(title, fontsize=11)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color('#dddddd')
    axes.set_aspect('equal')
    axes.set_xlabel('distances between far groups mean little', color=GREY, fontsize=8)
    columns = 1 if len(np.unique(labels)) <= 20 else 2
    place = dict(loc='center left', bbox_to_anchor=(1.0, 0.5), ncol=columns)
    axes.legend(frameon=False, fontsize=8, handletextpad=0.2, **place)
    return save(figure, path)
