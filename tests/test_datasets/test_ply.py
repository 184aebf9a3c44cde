import numpy as np
import pytest
from plyfile import PlyData, PlyElement

from pcdet_kd.datasets.ply import read_ply
from pcdet_kd.utils.errors import DataError

VERTEX = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0)], dtype=[(n, 'u1') for n in 'xyz'])


def write(path, text=False, faces=True):
    face = np.empty(2, dtype=[('vertex_indices', object)])
    face['vertex_indices'] = [[0, 1, 2], [0, 1, 2, 1]]
    elements = [PlyElement.describe(VERTEX, 'vertex')]
    elements += [PlyElement.describe(face, 'face', val_types={'vertex_indices': 'u1'})] * faces
    PlyData(elements, text=text).write(path)
    return path


@pytest.mark.parametrize('text', [True, False])
def test_vertices_and_faces(tmp_path, text):
    fields, corners = read_ply(write(tmp_path / 'a.ply', text))
    assert list(fields) == ['x', 'y', 'z'] and fields['x'].tolist() == [0, 1, 0]
    assert [face.tolist() for face in corners] == [[0, 1, 2], [0, 1, 2, 1]]
    assert read_ply(write(tmp_path / 'a.ply', text, faces=False))[1] == []


@pytest.mark.parametrize('text', [True, False])
@pytest.mark.parametrize(
    ('old', 'new'),
    [
        (b'element face 2', b'element face 1000000000'),
        (b'element vertex 3', b'element vertex 1000000000'),
        (b'element vertex 3', b'element vertex -1000000000'),
        (b'element face', b'element nothing 1000000000\nelement face'),
        (b'element vertex', b'comment\nend_header_not\nelement nothing 999999999\nelement vertex'),
    ],
)
def test_counts_that_the_file_does_not_hold(tmp_path, old, new, text):
    """Before, plyfile made room for them: minutes and gigabytes for a file of 278 bytes."""
    path = write(tmp_path / 'a.ply', text)
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(DataError, match=r'bytes (after a header|that cannot be read)'):
        read_ply(path)


def test_what_is_not_there_is_named(tmp_path):
    path = write(tmp_path / 'a.ply')
    good = path.read_bytes()
    for old, new, found in (
        (b'element vertex', b'element point', 'elements point, face, no vertex'),
        (b'vertex_indices', b'corners', 'faces with corners, no vertex_indices'),
        (b'format', b'farmat', 'cannot be read'),
    ):
        path.write_bytes(good.replace(old, new))
        with pytest.raises(DataError, match=found):
            read_ply(path)
