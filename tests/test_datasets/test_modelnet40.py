import numpy as np
import pytest

from pcdet_kd.datasets import ModelNet40
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.utils.errors import DataError


@pytest.fixture
def root(tmp_path, write_h5, clouds):
    for k, n in ((0, 25), (1, 20), (2, 5)):
        write_h5(
            tmp_path / f'ply_data_train{k}.h5',
            data=clouds(n, 8, seed=k),
            normal=clouds(n, 8, seed=k + 50),
            label=((np.arange(n)[:, None] + k) % 40).astype(np.uint8),
        )
    write_h5(
        tmp_path / 'ply_data_test0.h5',
        data=clouds(6, 8, seed=9),
        label=np.arange(6, dtype=np.uint8)[:, None],
    )
    write_h5(
        tmp_path / 'ply_data_train9.h5', data=clouds(6, 8), label=np.zeros((6, 1), np.uint8)
    )  # not listed
    listed = [f'data/modelnet40_ply_hdf5_2048/ply_data_train{k}.h5\n' for k in (1, 0)]
    (tmp_path / 'train_files.txt').write_text(''.join(listed))
    (tmp_path / 'test_files.txt').write_text('ply_data_test0.h5')
    (tmp_path / 'shape_names.txt').write_text('\n'.join(MODELNET40))
    return tmp_path


def test_order_of_the_list(root, clouds):
    dataset = ModelNet40(str(root))
    assert (
        len(dataset) == 45
        and dataset.metainfo['up_axis'] == 'y'
        and len(dataset.metainfo['classes']) == 40
    )
    np.testing.assert_array_equal(
        dataset.records.points, np.concatenate([clouds(20, 8, seed=1), clouds(25, 8, seed=0)])
    )
    assert dataset.labels().tolist() == [(i + 1) % 40 for i in range(20)] + list(range(25))
    assert (
        dataset[0]['sample_id'] == 'ply_data_train1/0000'
        and dataset[44]['sample_id'] == 'ply_data_train0/0024'
    )
    np.testing.assert_array_equal(dataset[0]['normals'], clouds(20, 8, seed=51)[0])


def test_test_split_and_no_normals(root):
    dataset = ModelNet40(str(root), split='test')
    assert len(dataset) == 6 and 'normals' not in dataset[0]


def fails(root, found, file=None, **kwargs):
    with pytest.raises(DataError) as info:
        ModelNet40(str(root), **kwargs)
    assert found in info.value.args[1], info.value
    assert file is None or str(info.value.args[0]).startswith(str(root / file))
    assert 'modelnet40_ply_hdf5_2048.zip' in info.value.args[3] or kwargs or 'label' in found
    return info.value


def test_missing(root):
    fails(root / 'no', 'no such directory')
    (root / 'ply_data_train0.h5').unlink()
    fails(root, 'no such file', 'ply_data_train0.h5')
    (root / 'train_files.txt').unlink()
    fails(root, 'no such file', 'train_files.txt')


@pytest.mark.parametrize(
    ('lines', 'found'),
    [
        ('', 'empty file'),
        ('\n', 'only blank lines'),
        ('a.h5\na.h5', "'a.h5' twice"),
        ('x/a.h5\ny/a.h5', 'same file name twice'),
        ('..\\x\\ply_data_train7.h5', 'no such file'),
        ('/', 'a directory'),
    ],
)
def test_bad_lists(root, lines, found):
    (root / 'train_files.txt').write_text(lines)
    fails(root, found)


def test_class_names_must_agree(root):
    names = list(MODELNET40)
    for lines, found in (
        (names[:39], '39 class names'),
        ([*names, 'more'], "class 40 is 'more'"),
        (names[::-1], "class 0 is 'xbox'"),
    ):
        (root / 'shape_names.txt').write_text('\n'.join(lines))
        fails(root, found, 'shape_names.txt')
    ModelNet40(str(root), metainfo=dict(classes=names[::-1]))
    (root / 'shape_names.txt').unlink()
    assert len(ModelNet40(str(root))) == 45


def test_files_must_fit_together(root, write_h5, clouds):
    write_h5(root / 'ply_data_train0.h5', data=clouds(5, 9), label=np.zeros((5, 1)))
    fails(root, '9 points per cloud', 'ply_data_train0.h5')
    write_h5(root / 'ply_data_train0.h5', data=clouds(5, 8), label=np.zeros((5, 1)))
    fails(root, "no array 'normal'", 'ply_data_train0.h5')
    write_h5(
        root / 'ply_data_train0.h5',
        data=clouds(5, 8),
        label=np.full((5, 1), 40),
        normal=clouds(5, 8),
    )
    fails(root, 'label 40', 'train_files.txt')
    write_h5(
        root / 'ply_data_train0.h5',
        data=clouds(5, 8, 6),
        label=np.zeros((5, 1)),
        normal=clouds(5, 8),
    )
    fails(root, "'data' of shape (5, 8, 6)", 'ply_data_train0.h5')
