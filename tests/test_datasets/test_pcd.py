import numpy as np
import pytest

from pcdet_kd.datasets.pcd import lzf_decompress, read_pcd
from pcdet_kd.utils.errors import DataError

HEADER = """# .PCD v0.7 - Point Cloud Data file format
VERSION 0.7
FIELDS x y z rgb _ id
SIZE 4 4 8 4 1 2
TYPE F F F F U I
COUNT 1 1 1 1 3 1
WIDTH {n}
HEIGHT 1
VIEWPOINT 0 0 0 1 0 0 0
POINTS {n}
DATA {layout}
"""
ROW = np.dtype(
    [('x', '<f4'), ('y', '<f4'), ('z', '<f8'), ('rgb', '<f4'), ('_', '<u1', 3), ('id', '<i2')]
)


def table(n=50, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.zeros(n, ROW)
    for axis in 'xyz':
        rows[axis] = rng.normal(size=n)
    rows['rgb'] = rng.integers(0, 1 << 24, n).astype('<u4').view('<f4')
    rows['id'] = -np.arange(n)
    return rows


def literals(data):
    """A valid LZF stream without a single copy."""
    return b''.join(
        bytes([len(data[i : i + 32]) - 1]) + data[i : i + 32] for i in range(0, len(data), 32)
    )


def write(path, layout, rows):
    header = HEADER.format(n=len(rows), layout=layout).encode()
    if layout == 'ascii':
        body = '\n'.join(
            ' '.join(
                [
                    *(repr(float(r[a])) for a in 'xyz'),
                    repr(float(r['rgb'])),
                    '1',
                    '2',
                    '3',
                    str(r['id']),
                ]
            )
            for r in rows
        ).encode()
    elif layout == 'binary':
        body = rows.tobytes()
    else:
        fields = b''.join(np.ascontiguousarray(rows[name]).tobytes() for name in ROW.names)
        packed = literals(fields)
        body = np.array([len(packed), len(fields)], '<u4').tobytes() + packed
    path.write_bytes(header + body)
    return path


@pytest.mark.parametrize('layout', ['ascii', 'binary', 'binary_compressed'])
def test_layouts(tmp_path, layout):
    rows = table()
    fields = read_pcd(write(tmp_path / 'a.pcd', layout, rows))
    assert list(fields) == ['x', 'y', 'z', 'rgb', 'id']
    for name in ('x', 'y', 'z', 'id'):
        np.testing.assert_array_equal(fields[name], rows[name])
        assert fields[name].dtype == ROW[name]
    np.testing.assert_array_equal(fields['rgb'].copy().view('<u4'), rows['rgb'].copy().view('<u4'))


def test_multi_count_fields_and_defaults(tmp_path):
    path = tmp_path / 'a.pcd'
    path.write_text(
        'FIELDS x f\nSIZE 4 4\nTYPE F U\nCOUNT 1 2\nWIDTH 1\nHEIGHT 2\nDATA ascii\n1 2 3\n4 5 6\n'
    )
    fields = read_pcd(path)
    assert fields['x'].tolist() == [1, 4] and fields['f'].tolist() == [[2, 3], [5, 6]]
    path.write_text('FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 1\nDATA ascii\n1 nan\n')
    assert np.isnan(read_pcd(path)['y'][0])


@pytest.mark.parametrize('layout', ['ascii', 'binary', 'binary_compressed'])
def test_truncated(tmp_path, layout):
    path = write(tmp_path / 'a.pcd', layout, table())
    data = path.read_bytes()
    for keep in (len(data) - 9, data.index(b'DATA') + 12 + len(layout), data.index(b'DATA'), 5):
        path.write_bytes(data[:keep])
        with pytest.raises(DataError, match=r'a\.pcd'):
            read_pcd(path)


@pytest.mark.parametrize(
    ('old', 'new', 'found'),
    [
        ('SIZE 4 4 8 4 1 2', 'SIZE 4 4', 'do not match'),
        ('TYPE F', 'TYPE Q', 'cannot be read'),
        ('SIZE 4', 'SIZE 3', 'cannot be read'),
        ('COUNT 1', 'COUNT 0', 'do not match'),
        ('DATA ascii', 'DATA zip', "DATA 'zip'"),
        ('POINTS 50', 'POINTS many', 'cannot be read'),
        ('POINTS 50', 'POINTS 51', 'expected 51 x 8'),
        ('FIELDS x', 'NAMES x', "'FIELDS'"),
    ],
)
def test_bad_headers(tmp_path, old, new, found):
    path = write(tmp_path / 'a.pcd', 'ascii', table())
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError) as info:
        read_pcd(path)
    assert found in info.value.args[1]


def test_lzf():
    # literals 'ab'; copy 4 from 2 back; long copy (7 + 1 + 2 = 10) from 1 back; copy of 3 from 16
    # back
    stream = bytes([1]) + b'ab' + bytes([2 << 5, 1, 7 << 5, 1, 0, 1 << 5, 15])
    assert lzf_decompress(stream, 19) == b'ababab' + b'b' * 10 + b'aba'
    far = literals(bytes(range(256)) * 2) + bytes([1 << 5 | 1, 255])  # 3 from 512 back
    assert lzf_decompress(far, 515)[-3:] == bytes([0, 1, 2])
    for bad, size in ((stream, 20), (stream[:-1], 19), (bytes([1 << 5, 5]), 3)):
        with pytest.raises(ValueError, match=r'decompression|too early|before the start'):
            lzf_decompress(bad, size)


def test_more_points_than_bytes(tmp_path, monkeypatch):
    head = 'FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 {}\nPOINTS {}\nDATA {}\n'
    path = tmp_path / 'a.pcd'
    for count, points, layout, found in (
        (1, 10**12, 'ascii', 'expected 1000000000000 x 3'),
        (1, 10**9, 'binary', '8 bytes for 1,000,000,000 points of 12 bytes'),
        (10**8, 1, 'binary', '8 bytes for 1 points of 400000008 bytes'),
        (1, -1, 'binary', 'for -1 points'),
        (1, 10**9, 'binary_compressed', 'points of 12,000,000,000 bytes in a file of'),
    ):
        path.write_bytes(head.format(count, points, layout).encode() + b'\1\2\3\4\5\6\7\10')
        with pytest.raises(DataError, match=found):
            read_pcd(path)


def test_a_stream_that_unpacks_to_more_is_not_followed():
    """Copies of copies: 300 bytes that unpack to 26 kB, of which 100 were announced."""
    stream = literals(b'a') + bytes([224, 255, 0]) * 100
    assert len(lzf_decompress(stream, 26401)) == 26401
    with pytest.raises(ValueError, match='265 bytes after decompression, expected 100'):
        lzf_decompress(stream, 100)
