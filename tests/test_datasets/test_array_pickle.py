import os
import pickle
import struct

import numpy as np
import pytest

from pcdet_kd.datasets.array_pickle import read_array_pickle
from pcdet_kd.utils.errors import DataError


def read(path):
    return read_array_pickle(path, 'arrays', 'get others')


def content():
    rng = np.random.default_rng(0)
    return {
        'train': [(rng.normal(size=(5, 6)).astype(np.float32), 3, np.int32(7))],
        'others': [
            np.arange(6, dtype='>i4').reshape(2, 3),
            np.asfortranarray(rng.normal(size=(3, 4))),
            np.array([True, False]),
            np.float64(0.5),
            np.zeros((0, 3), np.uint8),
        ],
        'plain': ['text', 1.5, None, True, -3],
    }


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_plain_values(tmp_path, protocol):
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(content(), protocol))
    found, wanted = read(path), content()
    assert found['plain'] == wanted['plain'] and found.keys() == wanted.keys()
    cloud, label, number = found['train'][0]
    assert type(found['train'][0]) is tuple and label == 3 and int(number) == 7
    assert cloud.dtype == np.float32 and np.array_equal(cloud, wanted['train'][0][0])
    for ours, theirs in zip(found['others'], wanted['others']):
        assert np.array_equal(ours, theirs) and np.shape(ours) == np.shape(theirs)


def test_older_numpy_has_other_names(tmp_path):
    path = tmp_path / 'a.pkl'
    data = pickle.dumps(content()['train'], 4)
    old = data.replace(b'\x8c\x16numpy._core.multiarray', b'\x8c\x15numpy.core.multiarray')
    assert old != data
    start = old.index(b'\x95')  # the frame is shorter now
    size = struct.unpack('<Q', old[start + 1 : start + 9])[0] - (len(data) - len(old))
    path.write_bytes(old[: start + 1] + struct.pack('<Q', size) + old[start + 9 :])
    assert np.array_equal(read(path)[0][0], content()['train'][0][0])


class Calls:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Faked:
    """An array by NumPy's own names with a state of the file's choice."""

    def __init__(self, *state):
        self.state = state

    def __reduce__(self):
        return np.empty(0).__reduce__()[0], (np.ndarray, (0,), b'b'), self.state


def bombs():
    thousand = ['a'] * 1000
    listed = []
    listed.append(listed)
    big = np.zeros(2**20)
    return {
        'code': Calls(os.system, 'touch pwned'),
        'import': Calls(__import__, 'antigravity'),
        'a list of lists of lists': [[thousand] * 1000] * 1000,
        'a list in itself': listed,
        'one array many times': [big] * 200,
        'objects': np.array([{}, None]),
        'text': np.array(['a', 'b']),
        'a record': np.zeros(2, [('a', 'f4')]),
        'a set': {1, 2},
        'too large': Faked(1, (2**40,), np.dtype('f8'), False, b'12345678'),
        'negative': Faked(1, (-1, -1), np.dtype('f8'), False, b'12345678'),
        'no type': Faked(1, (1,), 'f8', False, b'12345678'),
        'an array of pointers': Faked(1, (1,), np.dtype('O'), False, b'12345678'),
    }


@pytest.mark.parametrize('name', bombs())
def test_anything_else_is_refused(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(bombs()[name], 4))
    with pytest.raises(DataError) as caught:
        read(path)
    assert 'a.pkl' in str(caught.value) and not (tmp_path / 'pwned').exists()
    if name == 'code':
        assert 'asks for posix.system, which is not read' in str(caught.value)
    if name == 'one array many times':
        assert 'PCDET_KD_MAX_BYTES' in str(caught.value)


@pytest.mark.parametrize(
    'data',
    [
        pickle.BYTEARRAY8 + struct.pack('<Q', 2**40) + b'.',
        pickle.BINBYTES8 + struct.pack('<Q', 2**40) + b'.',
        pickle.MARK + pickle.LONG_BINPUT + struct.pack('<I', 2**31) + b'.',
        pickle.dumps(content(), 4)[:200],
        b'no pickle',
    ],
)
def test_a_damaged_file_makes_no_room_for_what_it_claims(tmp_path, data):
    (tmp_path / 'a.pkl').write_bytes(b'\x80\x05' + data if data[:1] != b'\x80' else data)
    with pytest.raises(DataError, match='cannot be read'):
        read(tmp_path / 'a.pkl')
