import cv2
import numpy as np

from pcdet_kd.visualization import canvas
from pcdet_kd.visualization.lines import draw_lines


def test_lines_with_bands(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(
        'pcdet_kd.visualization.lines.save',
        lambda figure, path: figures.append(figure) or canvas.save(figure, path),
    )
    lines = {'alone': [(20, 70, 1), (2, 50, 2)], 'taught': [(2, 75, float('nan')), (20, 80, 0.5)]}
    path = draw_lines(lines, tmp_path / 'a.png', 'labels, %', 'OA, %', 'Few labels')
    assert np.ptp(cv2.imread(str(path))) > 100
    axes = figures[0].axes[0]
    assert [line.get_label() for line in axes.lines] == ['alone', 'taught']
    assert axes.lines[0].get_xydata().tolist() == [[2, 50], [20, 70]]  # from left to right
    assert axes.get_xscale() == 'log' and axes.get_xlabel() == 'labels, %'
    assert [text.get_text() for text in axes.get_xticklabels()] == ['2', '20']
    low, high = axes.collections[0].get_datalim(axes.transData).intervaly
    assert (low, high) == (48, 71)
    draw_lines({'a': [(1, 5, 1), (2, 6, 1)]}, tmp_path / 'b.png', 'n', 'OA')
    assert figures[1].axes[0].get_xscale() == 'linear'
