import copy
import json
import struct

import numpy as np
import pytest

from pcdet_kd.datasets.meshes import read_obj_or_stl, read_off, sample_surface
from pcdet_kd.utils.errors import DataError

VERTICES = '0 0 0\n1 0 0\n1 1 0\n0 1 0\n0 0 2\n'


@pytest.mark.parametrize(
    'text',
    [
        f'OFF\n5 2 0\n{VERTICES}4 0 1 2 3\n3 0 1 4\n',
        f'OFF5 2 0\n{VERTICES}4 0 1 2 3\n3 0 1 4\n',  # as in ModelNet
        f'off 5 2 0\n{VERTICES}4 0 1 2 3  255 0 0\n3 0 1 4 0 255 0 255\n',  # with colours
        f'OFF\r\n5 2 0\r\n{VERTICES}4 0 1 2 3\r\n3 0 1 4\r\n\r\n',
        f'# made by hand\nOFF # keyword\n5 2 0\n{VERTICES}# faces\n4 0 1 2 3\n3 0 1 4',
    ],
)
def test_off(tmp_path, text):
    (tmp_path / 'a.off').write_text(text, newline='')
    vertices, faces = read_off(tmp_path / 'a.off')
    assert vertices.shape == (5, 3) and vertices[4].tolist() == [0, 0, 2]
    assert faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 4]]


def test_triangles_take_the_short_way(tmp_path):
    (tmp_path / 'a.off').write_text(f'OFF\n5 2 0\n{VERTICES}3 0 1 2\n3 0 1 4\n')
    assert read_off(tmp_path / 'a.off')[1].tolist() == [[0, 1, 2], [0, 1, 4]]


@pytest.mark.parametrize(
    'text',
    [
        '',
        'PLY\n',
        'OFF\n',
        'OFF\n5 2 0\n0 0 0\n',
        f'OFF\n5 2 0\n{VERTICES}4 0 1',
        f'OFF\nx 2 0\n{VERTICES}',
        f'OFF\n5 2 0\n{VERTICES}3 0 1 x\n3 0 1 2',
    ],
)
def test_bad_off(tmp_path, text):
    (tmp_path / 'a.off').write_text(text)
    with pytest.raises(DataError, match='cannot be read|an empty file'):
        read_off(tmp_path / 'a.off')


def test_obj_and_stl(tmp_path):
    (tmp_path / 'a.obj').write_text(
        'mtllib none.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nusemtl x\nf 1/1/1 2/2/2 3/3/3 4/4/4\n'
    )
    vertices, faces = read_obj_or_stl(tmp_path / 'a.obj')
    assert len(faces) == 2 and np.ptp(vertices, axis=0).tolist() == [1, 1, 0]
    (tmp_path / 'a.stl').write_text(
        'solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 3 0\n'
        'endloop\nendfacet\nendsolid a\n'
    )
    vertices, faces = read_obj_or_stl(tmp_path / 'a.stl')
    assert len(faces) == 1 and np.ptp(vertices, axis=0).tolist() == [1, 3, 0]
    (tmp_path / 'b.stl').write_bytes(b'\1' * 90)
    with pytest.raises(DataError, match=r'b.stl\n  found:    .* bytes that cannot be read'):
        read_obj_or_stl(tmp_path / 'b.stl')


def test_points_are_uniform_on_the_surface():
    vertices = np.array(
        [[0, 0, 0], [2, 0, 0], [0, 2, 0], [5, 0, 0], [5, 1, 0], [5, 0, 1], [9, 9, 9]], dtype=float
    )
    faces = np.array([[0, 1, 2], [3, 4, 5], [6, 6, 6]])  # areas 2, 0.5 and 0
    points, normals = sample_surface(vertices, faces, 20_000, np.random.default_rng(0))
    assert points.dtype == normals.dtype == np.float32 and points.shape == normals.shape == (
        20_000,
        3,
    )
    first = points[:, 0] < 4
    assert first.mean() == pytest.approx(0.8, abs=0.01)
    np.testing.assert_array_equal(normals[first], np.tile([0, 0, 1], (first.sum(), 1)))
    np.testing.assert_array_equal(normals[~first], np.tile([1, 0, 0], ((~first).sum(), 1)))
    inside = points[first]
    assert (
        (inside >= 0).all()
        and (inside[:, :2].sum(1) <= 2 + 1e-6).all()
        and (inside[:, 2] == 0).all()
    )
    np.testing.assert_allclose(inside.mean(0), [2 / 3, 2 / 3, 0], atol=0.01)  # the centroid
    np.testing.assert_allclose(inside[:, :2].var(0), 4 / 18, rtol=0.03)  # of a triangle with legs 2


def test_meshes_without_a_surface():
    rng, vertices = np.random.default_rng(0), np.zeros((3, 3))
    for faces, message in (
        (np.empty((0, 3), int), 'no faces'),
        (np.array([[0, 1, 3]]), 'vertex 3 of 3'),
        (np.array([[0, 1, 2]]), 'no area'),
        (np.array([[0, -1, 2]]), 'refers to vertex'),
    ):
        with pytest.raises(ValueError, match=message):
            sample_surface(vertices, faces, 5, rng)


def test_glb_with_two_parts(tmp_path):
    trimesh = pytest.importorskip('trimesh')
    parts = [trimesh.creation.box((1, 2, 3)), trimesh.creation.box((1, 1, 1))]
    parts[1].apply_translation((5, 0, 0))
    trimesh.Scene(parts).export(tmp_path / 'a.glb')
    vertices, faces = read_obj_or_stl(tmp_path / 'a.glb')
    assert len(faces) == 24 and vertices[faces].min(axis=(0, 1)).tolist() == [-0.5, -1, -1.5]
    assert vertices[faces].max(axis=(0, 1)).tolist() == [5.5, 1, 1.5]


def test_a_small_glb_that_claims_much_is_refused_unread(tmp_path, monkeypatch):
    trimesh = pytest.importorskip('trimesh')
    path = tmp_path / 'a.glb'
    trimesh.Scene([trimesh.creation.box((1, 2, 3))]).export(path)
    content = path.read_bytes()
    (size,) = struct.unpack('<I', content[12:16])
    header = json.loads(content[20 : 20 + size])
    vast = copy.deepcopy(header)
    vast['accessors'][0]['count'] = 10**12
    many = copy.deepcopy(header)
    node = next(node for node in many['nodes'] if 'mesh' in node)
    many['nodes'] += [node] * 2_000_000
    monkeypatch.setattr(trimesh, 'load', None)
    for changed in (vast, many):
        text = json.dumps(changed).encode()
        chunk = struct.pack('<II', len(text), 0x4E4F534A) + text
        if changed is many:
            monkeypatch.setenv('PCDET_KD_MAX_BYTES', '1000')
        path.write_bytes(content[:12] + chunk + content[20 + size :])
        with pytest.raises(DataError, match='a scene of'):
            read_obj_or_stl(path)
