"""An image of a confusion matrix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pcdet_kd.visualization.canvas import GREY, new_figure, save


def draw_confusion_matrix(
    matrix: np.ndarray, classes: Sequence[str], path: str | Path, title: str = ''
) -> Path:
    """Draw a confusion matrix, coloured by the share of each true class (row), with the counts in
    the cells.

    Args:
        matrix: (K, K) counts; rows are true classes, columns predicted ones.
        classes: K names.
        path: File to write; its suffix chooses the format.
        title: What the counts are of, above the accuracies.

    Returns:
        The path. Counts are left out above 20 classes, where they could not be read. A class
        without samples has a grey name and an empty row.

    Raises:
        ValueError: The matrix is not (K, K) for K names.
    """
    matrix = np.asarray(matrix)
    count = len(classes)
    if matrix.shape != (count, count):
        raise ValueError(f'the matrix has shape {matrix.shape}, there are {count} class names')
    totals = matrix.sum(axis=1, keepdims=True)
    part = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)

    side = max(4.0, 0.42 * count) if count <= 20 else 0.24 * count
    figure = new_figure(side + 2.6, side + 1.6)
    axes = figure.add_subplot()
    image = axes.imshow(part, cmap='Blues', vmin=0, vmax=1)
    font = 9 if count <= 20 else 8
    axes.set_xticks(range(count), classes, rotation=90, fontsize=font)
    axes.set_yticks(
        range(count),
        [f'{name} ({total})' for name, total in zip(classes, totals[:, 0])],
        fontsize=font,
    )
    for label, total in zip(axes.get_yticklabels(), totals[:, 0]):
        label.set_color('black' if total else '#aaaaaa')
    axes.set_xlabel('predicted', color=GREY)
    axes.set_ylabel('true (samples)', color=GREY)
    axes.set_xticks(np.arange(count + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(count + 1) - 0.5, minor=True)
    axes.grid(which='minor', color='#e6e6e6', linewidth=0.5)
    axes.tick_params(which='both', length=0)
    if count <= 20:
        for i, j in zip(*np.nonzero(matrix)):
            axes.text(
                j,
                i,
                str(matrix[i, j]),
                ha='center',
                va='center',
                fontsize=8,
                color='white' if part[i, j] > 0.55 else 'black',
            )
    head = f'{title}\n' if title else ''
    if matrix.sum():
        recalls = np.diagonal(part)[totals[:, 0] > 0]
        axes.set_title(
            f'{head}OA {100 * np.trace(matrix) / matrix.sum():.1f} %, '
            f'mAcc {100 * recalls.mean():.1f} %, {matrix.sum()} samples',
            fontsize=11,
        )
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.02)
    bar.set_label('share of the true class', color=GREY)
    bar.outline.set_visible(False)
    return save(figure, path)
