import struct
import sys

import laspy
import numpy as np
import pytest

from pcdet_kd.datasets.las import read_las
from pcdet_kd.datasets.readers import read_points
from pcdet_kd.utils.errors import DataError


def write(path, points, rgb=None, offset=(0.0, 0.0, 0.0)):
    header = laspy.LasHeader(point_format=3 if rgb is not None else 6, version='1.4')
    header.scales, header.offsets = [1e-3] * 3, offset
    cloud = laspy.LasData(header)
    cloud.xyz = points
    if rgb is not None:
        cloud.red, cloud.green, cloud.blue = np.asarray(rgb, np.uint16).T
    cloud.write(str(path))
    return path


@pytest.fixture
def points():
    return np.round(np.random.default_rng(0).uniform(-1, 1, (50, 3)), 3)


@pytest.mark.parametrize('suffix', ['las', 'laz'])
def test_points_keep_millimetres_far_from_the_origin(suffix, points, tmp_path):
    far = np.array([512345.0, 5412345.0, 312.0])
    path = write(tmp_path / f'scan.{suffix}', points + far, offset=far)
    found = read_points(path)
    assert list(found) == ['points'] and found['points'].dtype == np.float32
    centred = points - (points.min(axis=0) + points.max(axis=0)) / 2
    np.testing.assert_allclose(found['points'], centred, atol=1e-6)


@pytest.mark.parametrize('most', [255, 65535])
def test_colours_of_8_and_16_bits(most, points, tmp_path):
    rgb = np.tile([0, most // 5, most], (50, 1))
    found = read_points(write(tmp_path / 'scan.laz', points, rgb))
    np.testing.assert_allclose(found['rgb'], np.tile([0, 0.2, 1], (50, 1)), atol=1e-6)


def test_a_file_cut_short(points, tmp_path):
    path = write(tmp_path / 'scan.las', points)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match='scan.las'):
        read_las(path)


@pytest.mark.parametrize('at', [100, 243])
def test_a_header_that_announces_too_much(at, points, tmp_path):
    path = write(tmp_path / 'scan.las', points)
    raw = bytearray(path.read_bytes())
    raw[at : at + 4] = b'\xff\xff\xff\x0f'
    path.write_bytes(raw)
    with pytest.raises(DataError, match='announced'):
        read_las(path)


def test_a_table_of_too_many_chunks(points, tmp_path):
    path = write(tmp_path / 'scan.laz', points)
    raw = bytearray(path.read_bytes())
    (start,) = struct.unpack_from('<I', raw, 96)
    (table,) = struct.unpack_from('<q', raw, start)
    raw[table + 4 : table + 8] = b'\xff\xff\xff\x0f'
    path.write_bytes(raw)
    with pytest.raises(DataError, match='268,435,455 chunks'):
        read_las(path)


def test_without_its_package(points, tmp_path, monkeypatch):
    path = write(tmp_path / 'scan.las', points)
    monkeypatch.setitem(sys.modules, 'laspy', None)
    with pytest.raises(DataError, match=r'laspy\[lazrs\]'):
        read_las(path)
