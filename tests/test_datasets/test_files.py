import warnings

import h5py
import numpy as np
import pytest

from pcdet_kd.datasets.files import (
    MAX_BYTES,
    check_size,
    read_h5,
    read_json,
    read_labels,
    read_lines,
    read_npy,
    read_npz,
    reading,
    require_directory,
    require_file,
)
from pcdet_kd.utils.errors import DataError

DATA = dict(data=(None, None, 3), label=None)


def fails(path, found, required=DATA, optional=None):
    with pytest.raises(DataError) as info:
        read_h5(path, required, optional or {}, 'get it again')
    file, what, expected, fix = info.value.args
    assert str(file) == str(path) and ('get it again' in fix or MAX_BYTES in fix)
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
    expected = fails(tmp_path / 'y.h5', 'no such file; its folder holds x.h5')
    assert expected == "an HDF5 file with 'data' (any, any, 3), 'label'"
    fails(tmp_path / 'no' / 'y.h5', f'no such file; there is no folder {tmp_path / "no"}')
    fails(tmp_path, 'a directory')


@pytest.mark.parametrize('keep', [1, 7, 100, 0.5, -1])
def test_truncated(good, keep):
    data = good.read_bytes()
    good.write_bytes(data[: int(len(data) * keep) if isinstance(keep, float) else keep])
    fails(good, 'bytes that cannot be read')


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
    for value in (0.5, np.nan, np.inf, 1e30):
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


@pytest.mark.parametrize(
    'error',
    [KeyError('x'), MemoryError(), RecursionError('deep'), OSError(5, 'bad disk'), EOFError],
)
def test_whatever_a_parser_raises_names_the_file(tmp_path, error):
    path = tmp_path / 'f'
    path.write_text('1234')
    with pytest.raises(DataError, match=r'4 bytes that cannot be read \(.+\)') as info:
        with reading(path, 'numbers', 'get it again'):
            warnings.warn('shaky', SyntaxWarning, stacklevel=1)
            np.float32(1e38) * np.float32(10)
            raise error
    assert info.value.args[0] == path and info.value.args[2:] == ('numbers', 'get it again')
    with pytest.raises(DataError, match='found:    no such file; there is no folder'):
        require_file(tmp_path / ('x' * 300) / 'y', '', '')


def test_json(tmp_path):
    path = tmp_path / 'f.json'
    path.write_text('{"a": [1]}')
    assert read_json(path, '', '') == dict(a=[1])
    for text in ('{', '[' * 100_000, '9' * 5000):
        path.write_text(text)
        with pytest.raises(DataError, match='cannot be read'):
            read_json(path, '', '')


def npy(shape, dtype='<f4', data=b'1234'):
    """An npy file of some bytes, whose header says what it likes."""
    header = repr(dict(descr=dtype, fortran_order=False, shape=shape)).encode() + b'\n'
    return b'\x93NUMPY\1\0' + len(header).to_bytes(2, 'little') + header + data


def test_npy(tmp_path):
    path = tmp_path / 'f.npy'
    for array in (
        np.arange(6, dtype='>f8').reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
        np.zeros((0, 3), np.float16),
        np.array(3),
    ):
        np.save(path, array)
        out = read_npy(path, '', '')
        np.testing.assert_array_equal(out, array)
        assert out.dtype == array.dtype and out.flags.writeable
    for content, found in (
        (npy((10**9, 3)), 'a header that claims 12,000,000,000 bytes'),
        (npy((2,)), 'fewer than 8 bytes after the header'),
        (npy((-1, -1)), 'a header that claims'),
        (npy((1,), '|O'), 'does not hold numbers'),
        (npy((1,), '<U1'), 'does not hold numbers'),
        (npy((1,), '<f4')[:20], 'cannot be read'),
        (npy((1,)).replace(b"'shape'", b"'s\\\xff\0e'"), 'cannot be read'),
        (npy((1,)).replace(b'(1,)', b'(1L('), 'cannot be read'),
        (b'PK', 'cannot be read'),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=found):
            read_npy(path, '', '')


def test_npz_that_unpacks_to_too_much(tmp_path, monkeypatch):
    path = tmp_path / 'f.npz'
    np.savez_compressed(path, points=np.zeros((10**6, 3), np.float32), other=np.ones(2))
    assert list(read_npz(path, ('points', 'rgb'), '', '')) == ['points']
    monkeypatch.setenv(MAX_BYTES, '12000127')
    with pytest.raises(DataError, match=r'arrays of 12,000,128 bytes in a file of 12,') as info:
        read_npz(path, ('points', 'rgb'), '', '')
    assert 'export PCDET_KD_MAX_BYTES=12000128' in info.value.args[3]
    monkeypatch.setenv(MAX_BYTES, '12000128')
    assert read_npz(path, ('points', 'rgb'), '', '')['points'].shape == (10**6, 3)
    with pytest.raises(DataError, match='arrays points, other'):
        read_npz(path, ('data',), '', '')


def test_limits(tmp_path, monkeypatch):
    path = tmp_path / 'f'
    path.write_bytes(b'x' * 100)
    monkeypatch.setenv(MAX_BYTES, '10')
    check_size(path, 100, '')  # as large as the file: whatever the limit
    with pytest.raises(DataError, match='points of 101 bytes in a file of 100'):
        check_size(path, 101, 'points')
    monkeypatch.delenv(MAX_BYTES)
    check_size(path, 2**30, '')
    with pytest.raises(DataError):
        check_size(path, 2**30 + 1, '')
    monkeypatch.setenv(MAX_BYTES, '1 GB')
    with pytest.raises(DataError, match="PCDET_KD_MAX_BYTES\n  found:    '1 GB'"):
        check_size(path, 1, '')


@pytest.mark.parametrize('chunks', [None, (1, 8, 3)])
def test_h5_that_claims_too_much(tmp_path, chunks, monkeypatch):
    path = tmp_path / 'x.h5'
    with h5py.File(path, 'w') as file:  # nothing is written: the file says what it would hold
        file.create_dataset('data', (10**6, 10**4, 3), np.float64, chunks=chunks)
    fails(path, "'data' of 240,000,000,000 bytes in a file of ")
    with h5py.File(path, 'w') as file:
        more = dict(chunks=(10**3, 10**3, 3), maxshape=(None, None, 3), compression='gzip')
        file.create_dataset('data', (1, 2, 3), np.float32, **more)
    monkeypatch.setenv(MAX_BYTES, '11999999')
    fails(path, "'data' of 12,000,000 bytes in a file of ")
