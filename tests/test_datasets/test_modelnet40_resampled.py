import os

import numpy as np
import pytest

from pcdet_kd.datasets import ModelNet40Resampled, modelnet40_resampled
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.modelnet40_resampled import read_rows
from pcdet_kd.utils.errors import DataError

NAMES = dict(
    train=['night_stand_0002', 'airplane_0001', 'xbox_0001', 'night_stand_0001'], test=['bed_0009']
)


@pytest.fixture
def rows(clouds):
    return {
        name: clouds(1, 20, 6, seed=i)[0].round(6)
        for i, name in enumerate(NAMES['train'] + NAMES['test'])
    }


@pytest.fixture
def root(tmp_path, rows):
    (tmp_path / 'modelnet40_shape_names.txt').write_text('\n'.join(MODELNET40))
    for split, names in NAMES.items():
        (tmp_path / f'modelnet40_{split}.txt').write_text('\n'.join(names) + '\n')
    for name, table in rows.items():
        (tmp_path / name.rpartition('_')[0]).mkdir(exist_ok=True)
        np.savetxt(shape(tmp_path, name), table, '%.6f', ',')
    return tmp_path


def shape(root, name):
    return root / name.rpartition('_')[0] / f'{name}.txt'


def load(root, num_workers=0, num_points=8, **kwargs):
    return ModelNet40Resampled(str(root), num_points, num_workers=num_workers, **kwargs)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_first_rows_in_list_order(root, rows, num_workers):
    dataset = load(root, num_workers, with_normals=True)
    assert [s['sample_id'] for s in dataset] == NAMES['train'] and dataset.labels().tolist() == [
        23,
        0,
        39,
        23,
    ]
    for sample in dataset:
        table = rows[sample['sample_id']][:8]
        np.testing.assert_allclose(
            np.hstack([sample['points'], sample['normals']]), table, atol=1e-6
        )
    test = load(root, num_workers, split='test')
    assert (
        [s['sample_id'] for s in test] == ['bed_0009']
        and 'normals' not in test[0]
        and test.metainfo['up_axis'] == 'y'
    )


def test_parsed_once(root, monkeypatch, tmp_path_factory):
    first = load(root)
    monkeypatch.setattr(modelnet40_resampled, 'read_rows', None)  # a second parse would fail
    second = load(root, with_normals=True)
    assert np.array_equal(first.records.points, second.records.points)
    assert sorted(os.listdir(root / '.pcdet_kd_cache')) == ['train_8.json', 'train_8.npy']
    monkeypatch.undo()
    other = tmp_path_factory.mktemp('cache')
    load(root, cache_dir=str(other), num_points=5)
    assert sorted(os.listdir(other)) == ['train_5.json', 'train_5.npy']


def test_stale_or_damaged_is_parsed_again(root, rows):
    load(root)
    path = shape(root, 'xbox_0001')
    size = path.stat().st_size
    np.savetxt(path, rows['xbox_0001'][::-1], '%.6f', ',')
    os.utime(path, ns=(1, 1))
    assert path.stat().st_size == size
    np.testing.assert_allclose(load(root)[2]['points'], rows['xbox_0001'][:-9:-1, :3], atol=1e-6)
    cache = root / '.pcdet_kd_cache' / 'train_8.npy'
    data = bytearray(cache.read_bytes())
    data[-1] ^= 1
    cache.write_bytes(data)
    np.testing.assert_allclose(load(root)[2]['points'], rows['xbox_0001'][:-9:-1, :3], atol=1e-6)
    (root / 'modelnet40_train.txt').write_text('xbox_0001\nairplane_0001')
    assert [s['sample_id'] for s in load(root)] == ['xbox_0001', 'airplane_0001']


LINE = '1,2,3,4,5,6\n'


@pytest.mark.parametrize(
    ('content', 'found'),
    [
        ('', 'empty file'),
        ('<html>no</html>', 'HTML'),
        (LINE * 7, '7 lines'),
        ('1,2,3\n' * 8, '3 columns'),
        (LINE * 7 + '1,2,3\n', 'columns'),
        (LINE * 7 + '1,2,3,4,5,x\n', "'x'"),
        (LINE * 7 + '1,nan,3,4,5,6\n', 'line 8'),
        ('\n\n', '0 columns'),
        ('1 2 3 4 5 6\n' * 8, '1 2 3'),
        ('# c\n', '0 columns'),
    ],
)
@pytest.mark.parametrize('num_workers', [0, 2])
def test_malformed(root, content, found, num_workers):
    path = shape(root, 'xbox_0001')
    path.write_text(content)
    with pytest.raises(DataError) as info:
        load(root, num_workers)
    assert found in info.value.args[1] and info.value.args[0] == path
    assert 'modelnet40_normal_resampled.zip' in info.value.args[3]
    assert not (root / '.pcdet_kd_cache').exists()


def test_rows_after_the_last_wanted_do_not_matter(tmp_path):
    path = tmp_path / 'x.txt'
    path.write_text(LINE * 8 + 'broken')
    assert read_rows(path, 8, '').shape == (8, 6)


def test_missing(root):
    shape(root, 'xbox_0001').unlink()
    with pytest.raises(DataError, match='xbox_0001.txt\n  found:    no such file'):
        load(root)
    (root / 'modelnet40_train.txt').write_text('spoon_0001')
    with pytest.raises(DataError, match="'spoon_0001'"):
        load(root)
    (root / 'modelnet40_shape_names.txt').unlink()
    with pytest.raises(DataError, match=r'modelnet40_shape_names.txt\n  found:    no such file'):
        load(root)
    with pytest.raises(DataError, match='no such directory'):
        load(root / 'no')


def test_wrong_arguments():
    with pytest.raises(ValueError, match='num_points is 0'):
        load('x', num_points=0)
