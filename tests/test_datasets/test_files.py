import h5py
import numpy as np
import pytest

from pcdet_kd.datasets.files import read_h5, read_labels, read_lines, require_directory
from pcdet_kd.utils.errors import DataError

DATA = dict(data=(None, None, 3), label=None)


def fails(path, found, required=DATA, optional=None):
    with pytest.raises(DataError) as info:
        read_h5(path, required, optional or {}, 'get it again')
    file, what, expected, fix = info.value.args
    assert str(file) == str(path) and fix == 'get it again'
    assert found in what
    return expected


@pytest.fixture
def good(tmp_path, write_h5, clouds):
    arrays = dict(
        data=clouds(20, 500), label=np.zeros(20, np.int32), mask=np.zeros((20, 500), np.int32)
    )
    return write_h5(tmp_path / 'x.h5', **arrays)


def test_good_file(good):
    arrays = read_h5(good, DATA, dict(mask=(None, None), normal=(None, None, 3)), '')
    assert {k: v.shape for k, v in arrays.items()} == dict(
        data=(20, 500, 3), label=(20,), mask=(20, 500)
    )


def test_missing(tmp_path, good):
    expected = fails(tmp_path / 'y.h5', 'no such file; beside it: x.h5')
    assert expected == "an HDF5 file with 'data' (any, any, 3), 'label'"
    fails(tmp_path / 'no' / 'y.h5', f'no such file, nor {tmp_path / "no"}')
    fails(tmp_path, 'a directory')


@pytest.mark.parametrize('keep', [1, 7, 100, 0.5, -1])
def test_truncated(good, keep):
    data = good.read_bytes()
    good.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    fails(good, 'bytes that cannot be read as HDF5')


def test_empty_and_html(good):
    good.write_bytes(b'')
    fails(good, 'an empty file (0 bytes)')
    for page in (b'<!DOCTYPE html><html><body>Sign in', b'\n  <html lang="en">'):
        good.write_bytes(page)
        fails(good, 'an HTML page')


def test_wrong_contents(good, write_h5, clouds, tmp_path):
    fails(good, "no array 'points' (there are: data, label, mask)", dict(points=(None, None, 3)))
    fails(good, "'data' of shape (20, 500, 3)", dict(data=(None, 3)))
    fails(good, "'mask' of shape (20, 500)", DATA, dict(mask=(None,)))
    bad = write_h5(tmp_path / 'bad.h5', data=clouds(2, 5, 6), label=np.zeros(2))
    fails(bad, "'data' of shape (2, 5, 6)")
    text = write_h5(tmp_path / 'text.h5', label=np.array([b'bag', b'bin']))
    fails(text, "'label' of type |S3", dict(label=None))
    with h5py.File(tmp_path / 'group.h5', 'w') as file:
        file.create_group('data')
    fails(tmp_path / 'group.h5', "no array 'data' (there are: data)")
    with h5py.File(tmp_path / 'none.h5', 'w'):
        pass
    fails(tmp_path / 'none.h5', "no array 'data' (there are: none)")


def test_labels(tmp_path):
    for labels in (
        np.array([[1], [2]], np.uint8),
        np.array([1, 2], np.int32),
        np.array([1.0, 2.0]),
    ):
        out = read_labels(tmp_path, labels, 2, '')
        assert out.dtype == np.int64 and out.tolist() == [1, 2]
    for labels in (np.zeros(3), np.zeros((2, 2)), np.zeros((1, 2)), np.zeros(())):
        with pytest.raises(DataError, match="'label' of shape"):
            read_labels(tmp_path, labels, 2, '')
    for value in (0.5, np.nan):
        with pytest.raises(DataError, match='not whole numbers'):
            read_labels(tmp_path, np.array([1, value]), 2, '')


def test_lines(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_bytes(b'a/b \r\n\r\n  c\r\n')
    assert read_lines(path, '', '') == ['a/b', 'c']
    for content, found in (
        (b' \n\n', 'only blank lines'),
        (b'a\nb\na\n', "'a' twice"),
        (b'', 'empty file'),
        (b'\xff\xfe\x00', 'not text'),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=found):
            read_lines(path, 'names', 'fix')


def test_directory(tmp_path, monkeypatch):
    assert require_directory(tmp_path, '', '') == tmp_path
    monkeypatch.setenv('HOME', str(tmp_path))
    assert require_directory('~', '', '') == tmp_path
    (tmp_path / 'f').write_text('')
    for name, found in (('nowhere', 'no such directory'), ('f', 'a file')):
        with pytest.raises(
            DataError,
            match=f'found:    {found}\n  expected: a directory with things\n  fix:      do it',
        ):
            require_directory(tmp_path / name, 'things', 'do it')
