import numpy as np
import pytest

from pcdet_kd.visualization import confusion_matrix, draw_confusion_matrix


@pytest.fixture
def figures(monkeypatch):
    """The figures that are drawn, instead of files."""
    drawn = []
    monkeypatch.setattr(confusion_matrix, 'save', lambda figure, path: drawn.append(figure) or path)
    return drawn


def test_counts_colours_and_labels(figures):
    draw_confusion_matrix(
        np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), ['chair', 'table', 'bed'], 'x.png'
    )
    axes = figures[0].axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]])
    assert {(text.get_position(), text.get_text()) for text in axes.texts} == {
        ((0, 0), '3'),
        ((1, 0), '1'),
        ((1, 1), '4'),
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        'chair (4)',
        'table (4)',
        'bed (0)',
    ]
    assert axes.get_title() == 'OA 87.5 %, mAcc 87.5 %, 8 samples'


def test_many_classes_have_no_counts(figures):
    draw_confusion_matrix(np.eye(21, dtype=int), [f'class {i}' for i in range(21)], 'x.png')
    assert not figures[0].axes[0].texts


def test_file_and_empty_matrix(tmp_path):
    path = draw_confusion_matrix(np.zeros((2, 2), int), ['a', 'b'], tmp_path / 'matrix.png')
    assert path.stat().st_size > 1000


def test_names_must_fit():
    with pytest.raises(ValueError, match=r'shape \(2, 2\), there are 3 class names'):
        draw_confusion_matrix(np.eye(2), ['a', 'b', 'c'], 'x.png')
