import numpy as np
import pytest
from matplotlib.image import imread

from pcdet_kd.visualization import contact_sheet
from pcdet_kd.visualization.contact_sheet import draw_contact_sheet, sheet


def views(count, size=(8, 6)):
    return [np.full((*size, 3), 10 * i, np.uint8) for i in range(count)]


def test_views_are_side_by_side():
    image = sheet(views(5), 3)
    assert image.shape == (8 + 2 + 8, 3 * 6 + 2 * 2, 3)
    assert (image[:8, 8:14] == 10).all() and (image[10:, :6] == 30).all()
    assert (image[:, 6:8][:8] == 225).all() and (image[10:, 16:] == 255).all()
    assert (sheet([view[..., 0] for view in views(5)], 3) == image).all()


def test_a_name_per_shape_and_a_number_per_view(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(contact_sheet, 'save', lambda figure, path: figures.append(figure) or path)
    draw_contact_sheet({'chair': views(4), 'bed': views(2)}, 'x.png', 'All', columns=3)
    chair, bed = figures[0].axes
    assert chair.get_title('left') == 'chair' and bed.get_title('left') == 'bed'
    assert [text.get_text() for text in chair.texts] == ['1', '2', '3', '4']
    assert chair.texts[3].xy[1] > chair.texts[2].xy[1]
    assert bed.images[0].get_array().shape[1] == chair.images[0].get_array().shape[1]
    monkeypatch.undo()
    assert imread(draw_contact_sheet({'a': views(2)}, tmp_path / 'x.png')).size
    with pytest.raises(ValueError, match='2 sizes'):
        draw_contact_sheet({'a': views(1), 'b': views(1, (9, 6))}, 'x.png')
