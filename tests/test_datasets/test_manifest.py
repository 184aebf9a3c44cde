import h5py
import numpy as np
import pytest

from pcdet_kd.datasets import ModelNet40, SyntheticScans, manifest
from pcdet_kd.datasets.manifest import MANIFEST, verify
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import file_sha256


@pytest.fixture
def root(tmp_path, write_h5, clouds, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'user'))
    root = tmp_path / 'data'
    write_h5(root / 'train0.h5', data=clouds(4), label=np.zeros((4, 1), np.uint8))
    (root / 'train_files.txt').write_text('train0.h5\n')
    (root / 'sub').mkdir()
    (root / 'sub' / 'a.txt').write_text('1 2 3')
    (root / '.hidden').write_text('x')
    return root


@pytest.fixture
def log(monkeypatch):
    lines = []
    monkeypatch.setattr(manifest, 'print_log', lambda text, **kwargs: lines.append(text))
    return lines


def test_flipped_bytes_of_coordinates_are_found(root, log):
    dataset = ModelNet40(str(root))
    verify(dataset)
    verify(dataset)
    assert [line.rpartition(' ')[0].split(': ')[1] for line in log] == [
        'hashes of 3 files written to',
        '3 files match',
    ]
    path = root / 'train0.h5'
    before = file_sha256(path)
    with h5py.File(path, 'a') as file:
        file['data'][2, 3, 1] += 0.01
    ModelNet40(str(root))  # good data, as far as anyone can see
    with pytest.raises(DataError) as info:
        verify(dataset)
    assert info.value.args[:3] == (path, f'SHA-256 {file_sha256(path)}', f'SHA-256 {before}')
    assert f'delete {root / MANIFEST}' in info.value.args[3]


def test_missing_and_new_files(root, log):
    verify(root)
    (root / 'sub' / 'b.txt').write_text('4')
    (root / 'loop').symlink_to(root)
    verify(root)
    assert 'hashes of 1 files written' in log[-1]
    names = [line.split('  ')[1] for line in (root / MANIFEST).read_text().splitlines()]
    assert names == ['sub/a.txt', 'sub/b.txt', 'train0.h5', 'train_files.txt']
    (root / 'sub' / 'b.txt').unlink()
    with pytest.raises(DataError, match=r'sub/b.txt\n  found:    no such file'):
        verify(root)


def test_a_folder_that_cannot_be_written(root, log, tmp_path, monkeypatch):
    write = manifest.write_whole

    def refuse(path, content):
        if path.parent == root:
            raise PermissionError(13, 'Permission denied')
        write(path, content)

    monkeypatch.setattr(manifest, 'write_whole', refuse)
    verify(root)
    assert str(tmp_path / 'user' / 'pcdet_kd' / 'manifests') in log[-1]
    (root / 'sub' / 'a.txt').write_text('1 2 4')
    with pytest.raises(DataError, match=r'sub/a.txt'):
        verify(root)
    assert not (root / MANIFEST).exists()


def test_a_broken_manifest_and_no_files(root, tmp_path):
    (root / MANIFEST).write_text('abc  train0.h5\n')
    with pytest.raises(DataError, match="the line 'abc  train0.h5'"):
        verify(root)
    with pytest.raises(DataError, match='no such directory'):
        verify(tmp_path / 'nowhere')
    verify(SyntheticScans(num_train=1, num_points=8, workers=1, cache_dir=tmp_path))
