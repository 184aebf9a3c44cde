import os

import numpy as np
import pytest

from pcdet_kd.datasets import array_cache
from pcdet_kd.datasets.array_cache import cached_array, default_cache_dir
from pcdet_kd.utils.errors import DataError


class Builder:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return np.arange(12, dtype=np.float32).reshape(3, 4) + self.calls


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'deep' / 'x.npy'


def test_built_once(path):
    build = Builder()
    first = cached_array(path, dict(files=[['a', 1]]), build)
    second = cached_array(path, dict(files=[('a', 1)]), build)
    assert build.calls == 1
    np.testing.assert_array_equal(first, second)
    assert second.dtype == np.float32 and sorted(os.listdir(path.parent)) == ['x.json', 'x.npy']


def damage(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    'fault', ['stale', 'flipped', 'truncated', 'record', 'no_record', 'record_type', 'swapped']
)
def test_built_again(path, fault, monkeypatch):
    build, lines = Builder(), []
    monkeypatch.setattr(array_cache, 'print_log', lambda text, **kwargs: lines.append(text))
    cached_array(path, dict(a=1), build)
    if fault == 'flipped':
        damage(path)
    elif fault == 'truncated':
        path.write_bytes(path.read_bytes()[:-8])
    elif fault == 'record':
        path.with_suffix('.json').write_text('{"sources"')
    elif fault == 'no_record':
        path.with_suffix('.json').unlink()
    elif fault == 'record_type':
        path.with_suffix('.json').write_text('[1]')
    elif fault == 'swapped':
        np.save(path, np.zeros(3))
    again = cached_array(path, dict(a=2) if fault == 'stale' else dict(a=1), build)
    assert build.calls == 2 and again[0, 0] == 2
    assert bool(lines) == (fault != 'no_record')
    if lines:
        assert str(path) in lines[0] and ('stale' if fault == 'stale' else 'damaged') in lines[0]
    cached_array(path, dict(a=2) if fault == 'stale' else dict(a=1), build)
    assert build.calls == 2


def test_a_failed_build_leaves_nothing(path):
    def fail():
        raise DataError('f', 'x', 'y', 'z')

    with pytest.raises(DataError):
        cached_array(path, {}, fail)
    assert not path.parent.exists()


def test_what_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='cache_dir=<a writable directory>'):
        cached_array(tmp_path / 'file' / 'x.npy', {}, Builder())
    assert os.listdir(tmp_path) == ['file']


def test_default_cache_directory(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert default_cache_dir() == tmp_path / 'pcdet_kd'
    monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    assert default_cache_dir() == tmp_path / 'home' / '.cache' / 'pcdet_kd'
