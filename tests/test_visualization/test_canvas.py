import sys

import pytest

from pcdet_kd.visualization.canvas import new_figure, save, style


@pytest.mark.parametrize(
    'suffix, magic', [('.png', b'\x89PNG'), ('.pdf', b'%PDF'), ('.svg', b'<?xml')]
)
def test_suffix_chooses_the_format(tmp_path, suffix, magic):
    path = save(new_figure(1, 1), tmp_path / 'new' / f'figure{suffix}')
    assert path.read_bytes().startswith(magic)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_no_suffix(tmp_path):
    with pytest.raises(ValueError, match='has no suffix'):
        save(new_figure(1, 1), tmp_path / 'figure')


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / 'figure.png'
    path.write_bytes(b'old')

    class Broken:
        def savefig(self, file, **_):
            file.write(b'half')
            raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'):
        save(Broken(), path)
    assert path.read_bytes() == b'old' and list(tmp_path.iterdir()) == [path]


def test_pyplot_is_not_touched():
    before = 'matplotlib.pyplot' in sys.modules
    new_figure(1, 1)
    assert ('matplotlib.pyplot' in sys.modules) == before


def test_axes_have_labels_and_no_box():
    axes = new_figure(1, 1).add_subplot()
    style(axes, 'epoch', 'OA, %', 'one run')
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ('epoch', 'OA, %', 'one run')
    assert [axes.spines[side].get_visible() for side in ('top', 'right', 'left')] == [0, 0, 1]
