import numpy as np
import pytest
from plyfile import PlyData, PlyElement

from pcdet_kd.datasets.readers import read_points
from pcdet_kd.utils.errors import DataError

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(7, 3)).astype(np.float32)
NORMALS = RNG.normal(size=(7, 3)).astype(np.float32)
BYTES = RNG.integers(0, 256, (7, 3))
NINE = np.hstack([POINTS, NORMALS, BYTES])


def check(cloud, names='points normals rgb', n=7):
    assert list(cloud) == names.split()
    for name, expected in (('points', POINTS), ('normals', NORMALS), ('rgb', BYTES / 255)):
        if name in cloud:
            assert cloud[name].dtype == np.float32 and cloud[name].flags.c_contiguous
            np.testing.assert_allclose(cloud[name], expected[:n], atol=1e-6)


@pytest.mark.parametrize('suffix', ['xyz', 'txt', 'csv', 'TXT'])
@pytest.mark.parametrize('delimiter', [' ', ',', ';', '\t'])
@pytest.mark.parametrize(
    ('columns', 'names'), [(3, 'points'), (6, 'points normals'), (9, 'points normals rgb')]
)
def test_text(tmp_path, suffix, delimiter, columns, names):
    path = tmp_path / f'a.{suffix}'
    np.savetxt(path, NINE[:, :columns], delimiter=delimiter, fmt='%.8g')
    check(read_points(path), names)


@pytest.mark.parametrize(
    'header',
    ['red,green,blue,x,Y,"z",intensity', '\ufeff# made by hand\n\nr, g, b, x, y, z, label'],
)
def test_header_line(tmp_path, header):
    rows = '\n'.join(','.join(f'{v:.8g}' for v in (*c, *p, 0)) for c, p in zip(BYTES, POINTS))
    (tmp_path / 'a.csv').write_text(f'{header}\n{rows}\n', encoding='utf-8')
    check(read_points(tmp_path / 'a.csv'), 'points rgb')


def test_named_columns(tmp_path):
    np.savetxt(tmp_path / 'a.txt', np.hstack([POINTS, BYTES]))
    check(read_points(tmp_path / 'a.txt', columns=('x', 'y', 'z', 'r', 'g', 'b')), 'points rgb')
    np.save(tmp_path / 'a.npy', np.hstack([np.ones((7, 1)), POINTS]))
    check(read_points(tmp_path / 'a.npy', columns=('reflectance', 'x', 'y', 'z')), 'points')


def test_colours_in_the_unit_range_stay(tmp_path):
    np.savez(tmp_path / 'a.npz', points=POINTS, rgb=BYTES / 255)
    check(read_points(tmp_path / 'a.npz'), 'points rgb')
    np.savez(tmp_path / 'b.npz', points=POINTS, rgb=np.ones((7, 3), np.uint8))
    np.testing.assert_allclose(read_points(tmp_path / 'b.npz')['rgb'], 1 / 255)


def test_numpy(tmp_path):
    np.save(tmp_path / 'a.npy', NINE.astype(np.float64))
    check(read_points(tmp_path / 'a.npy'))
    np.save(tmp_path / 'b.npy', POINTS.astype(np.float32))
    check(read_points(tmp_path / 'b.npy'), 'points')
    np.savez(tmp_path / 'a.npz', points=POINTS, normals=NORMALS, rgb=BYTES, other=np.zeros(2))
    check(read_points(tmp_path / 'a.npz'))
    np.savez_compressed(tmp_path / 'b.npz', NINE)
    check(read_points(tmp_path / 'b.npz'))
    np.savez(tmp_path / 'c.npz', points=NINE[:, :6])
    check(read_points(tmp_path / 'c.npz'), 'points normals')


@pytest.mark.parametrize('text', [True, False])
def test_ply_cloud(tmp_path, text):
    kinds = [(n, 'f4') for n in ('x', 'y', 'z', 'nx', 'ny', 'nz')] + [
        (n, 'u1') for n in ('red', 'green', 'blue')
    ]
    vertex = np.array([tuple(row) for row in NINE.tolist()], dtype=kinds)
    PlyData([PlyElement.describe(vertex, 'vertex')], text=text).write(tmp_path / 'a.ply')
    check(read_points(tmp_path / 'a.ply'))


def square_ply(path):
    vertex = np.array(
        [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], dtype=[(n, 'f4') for n in 'xyz']
    )
    face = np.empty(1, dtype=[('vertex_indices', 'i4', (4,))])
    face['vertex_indices'] = [[0, 1, 2, 3]]
    PlyData([PlyElement.describe(vertex, 'vertex'), PlyElement.describe(face, 'face')]).write(path)


def test_meshes_are_sampled(tmp_path):
    for name in ('a.off', 'b.off'):
        (tmp_path / name).write_text('OFF\n4 1 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3\n')
    square_ply(tmp_path / 'a.ply')
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'sub' / 'a.off').write_bytes((tmp_path / 'a.off').read_bytes())
    clouds = {
        p: read_points(tmp_path / p, mesh_points=500)
        for p in ('a.off', 'b.off', 'a.ply', 'sub/a.off')
    }
    for cloud in clouds.values():
        assert list(cloud) == ['points', 'normals'] and cloud['points'].shape == (500, 3)
        np.testing.assert_array_equal(np.abs(cloud['normals']), np.tile([0, 0, 1], (500, 1)))
        assert cloud['points'].min() >= 0 and 0.9 < cloud['points'][:, :2].max() <= 1
    first = clouds['a.off']['points']
    np.testing.assert_array_equal(first, clouds['sub/a.off']['points'])  # the same name, elsewhere
    assert not np.array_equal(first, clouds['b.off']['points'])
    assert len(read_points(tmp_path / 'a.off')['points']) == 2048


def test_pcd(tmp_path):
    packed = BYTES @ [65536, 256, 1]
    rows = '\n'.join(
        ' '.join([*(f'{v:.8g}' for v in (*p, *n)), str(c)])
        for p, n, c in zip(POINTS, NORMALS, packed)
    )
    (tmp_path / 'a.pcd').write_text(
        'VERSION .7\nFIELDS x y z normal_x normal_y normal_z rgb\nSIZE 4 4 4 4 4 4 4\n'
        f'TYPE F F F F F F U\nWIDTH 7\nHEIGHT 1\nPOINTS 7\nDATA ascii\n{rows}\n'
    )
    check(read_points(tmp_path / 'a.pcd'))


def fails(path, found, content=None, **kwargs):
    if content is not None:
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    with pytest.raises(DataError) as info:
        read_points(path, **kwargs)
    assert (
        found in info.value.args[1] and str(info.value.args[0]) == str(path) and info.value.args[3]
    )


@pytest.mark.parametrize(
    'suffix',
    ['ply', 'pcd', 'las', 'laz', 'xyz', 'txt', 'csv', 'npy', 'npz', 'off', 'obj', 'stl', 'glb'],
)
def test_every_format_refuses_what_it_is_not(tmp_path, suffix):
    path = tmp_path / f'a.{suffix}'
    fails(path, 'no such file')
    fails(path, 'an empty file', '')
    fails(path, 'an HTML page', '<!doctype html><p>404')
    for content in ('not a point cloud\n', b'\0\1\2\3' * 40, '\n\n \n'):
        fails(path, '', content)


def test_faults(tmp_path):
    fails(tmp_path / 'a.e57', "suffix '.e57'", '1 2 3')
    fails(tmp_path / 'a.xyz', '4 columns', '1 2 3 4')
    fails(tmp_path / 'a.xyz', '3 columns', '1 2 3', columns=('x', 'y', 'z', 'i'))
    fails(tmp_path / 'a.xyz', 'columns a, b, c', '1 2 3', columns=('a', 'b', 'c'))
    fails(tmp_path / 'a.xyz', "NaN or infinity in 'points' of point 1", '1 2 3\n1 nan 3\n')
    fails(tmp_path / 'a.xyz', "NaN or infinity in 'normals' of point 0", '1 2 3 1 0 inf')
    fails(tmp_path / 'a.csv', 'cannot be read', '1,2,3\n1,2\n')
    fails(tmp_path / 'a.csv', 'no points', 'x,y,z\n')
    fails(tmp_path / 'a.txt', 'no points', '# nothing\n')
    np.save(tmp_path / 'a.npy', np.zeros((0, 3)))
    fails(tmp_path / 'a.npy', 'no points')
    np.save(tmp_path / 'a.npy', np.zeros((2, 4, 3)))
    fails(tmp_path / 'a.npy', 'an array of shape (2, 4, 3)')
    np.save(tmp_path / 'a.npy', np.array([['a', 'b', 'c']]))
    fails(tmp_path / 'a.npy', 'type <U1')
    np.save(tmp_path / 'a.npy', np.array([{}]), allow_pickle=True)
    fails(tmp_path / 'a.npy', 'cannot be read')
    np.savez(tmp_path / 'a.npz', points=POINTS, normals=NORMALS[:5])
    fails(tmp_path / 'a.npz', "'normals' of shape (5, 3)")
    np.savez(tmp_path / 'a.npz', a=POINTS, b=POINTS)
    fails(tmp_path / 'a.npz', 'arrays a, b')
    np.savez(tmp_path / 'a.npz', points=np.array([['a', 'b', 'c']]))
    fails(tmp_path / 'a.npz', 'does not hold numbers')
    fails(tmp_path / 'a.off', 'no area', 'OFF\n3 1 0\n0 0 0\n0 0 0\n0 0 0\n3 0 1 2\n')
    square_ply(tmp_path / 'a.ply')
    fails(tmp_path / 'a.ply', 'cannot be read', (tmp_path / 'a.ply').read_bytes()[:-5])
    fails(
        tmp_path / 'b.ply',
        'no vertex',
        'ply\nformat ascii 1.0\nelement face 0\nproperty int a\nend_header\n',
    )
    fails(
        tmp_path / 'b.ply',
        'columns x, y',
        'ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n'
        'end_header\n1 2\n',
    )
