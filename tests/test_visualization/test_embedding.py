import numpy as np
import pytest

from pcdet_kd.visualization import embedding
from pcdet_kd.visualization.embedding import draw_embedding


@pytest.fixture
def figures(monkeypatch):
    drawn = []
    monkeypatch.setattr(embedding, 'save', lambda figure, path: drawn.append(figure) or path)
    return drawn


def test_a_colour_and_a_name_per_class(figures):
    places = np.array([[0.0, 0], [2, 4], [7, 8], [9, 9]])
    labels = np.array([0, 0, 21, 1])
    draw_embedding(places, labels, [f'c{i}' for i in range(22)], 'x.png', 'the title')
    (axes,) = figures[0].axes
    assert axes.get_title() == 'the title'
    assert [(t.get_text(), t.xy) for t in axes.texts] == [
        ('c0', (1, 2)),
        ('c1', (9, 9)),
        ('c21', (7, 8)),
    ]
    colors = [tuple(dots.get_facecolor()[0]) for dots in axes.collections]
    shapes = [len(dots.get_paths()[0].vertices) for dots in axes.collections]
    assert colors[0] != colors[1] == colors[2] and shapes[1] != shapes[2]
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), places[:2])
