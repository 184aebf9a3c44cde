import numpy as np
import pytest

from pcdet_kd.datasets import PointCloudFolder, point_cloud_folder
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError

TREE = dict(train=dict(box=3, arm=2), test=dict(box=1, arm=2))


def fill(root, layout, tree=TREE, columns=3):
    rng = np.random.default_rng(0)
    for split, classes in tree.items():
        for name, count in classes.items():
            folder = root / layout.format(split=split, name=name)
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(count):
                np.savetxt(folder / f'{split}{i}.xyz', rng.normal(size=(4 + i, columns)))
    return root


def names(dataset):
    return [sample['sample_id'] for sample in dataset]


@pytest.mark.parametrize('layout', ['{split}/{name}', '{name}/{split}'])
def test_layouts_with_a_test_part(tmp_path, layout):
    fill(tmp_path, layout)
    for split in TREE:
        dataset = PointCloudFolder(str(tmp_path), 'z', split=split)
        assert dataset.metainfo['classes'] == ('arm', 'box') and dataset.metainfo['up_axis'] == 'z'
        expected = [
            f'{layout}/{split}{i}.xyz'.format(split=split, name=name)
            for name in ('arm', 'box')
            for i in range(TREE[split][name])
        ]
        assert names(dataset) == expected
        assert dataset.labels().tolist() == [0] * TREE[split]['arm'] + [1] * TREE[split]['box']
    train = PointCloudFolder(str(tmp_path), 'z')
    assert [s['num_points'] for s in train] == [4, 5, 4, 5, 6] and train[4]['points'].shape == (
        6,
        3,
    )
    np.testing.assert_allclose(
        train[4]['points'], np.loadtxt(tmp_path / train[4]['sample_id']), rtol=1e-6
    )


def test_without_a_test_part(tmp_path):
    fill(tmp_path, '{name}')
    whole = PointCloudFolder(str(tmp_path), 'y', split='trainval')
    parts = [
        PointCloudFolder(str(tmp_path), 'y', split=s, val_fraction=0.4) for s in ('train', 'val')
    ]
    assert (
        len(whole) == 8
        and sorted(names(parts[0]) + names(parts[1])) == sorted(names(whole))
        and len(parts[1]) == 4
    )
    with pytest.raises(
        DataError, match=r"no folder 'test'.*\n.*\n.*split='trainval' to test on all files"
    ):
        PointCloudFolder(str(tmp_path), 'y', split='test')


def test_classes_choose_and_order(tmp_path):
    fill(tmp_path, '{name}', dict(train=dict(a=1, b=1, c=1)))
    dataset = PointCloudFolder(str(tmp_path), 'y', classes=['c', 'a'])
    assert names(dataset) == ['c/train0.xyz', 'a/train0.xyz'] and dataset.labels().tolist() == [
        0,
        1,
    ]
    with pytest.raises(DataError, match=r"no such class folder\n.*\n.*Did you mean 'a'"):
        PointCloudFolder(str(tmp_path), 'y', classes=['A'])


def test_formats_mix_and_other_files_are_named(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(point_cloud_folder, 'print_log', lambda text, **kwargs: lines.append(text))
    fill(tmp_path, '{name}', dict(train=dict(a=1)))
    (tmp_path / 'a' / 'b.OFF').write_text('OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n')
    (tmp_path / 'a' / '.hidden').write_text('x')
    assert [s['num_points'] for s in PointCloudFolder(str(tmp_path), 'y', mesh_points=9)] == [
        9,
        4,
    ] and not lines
    (tmp_path / 'a' / 'readme.md').write_text('x')
    (tmp_path / '.git').mkdir()
    assert len(PointCloudFolder(str(tmp_path), 'y')) == 2
    assert len(lines) == 1 and '1 files are not point clouds and are skipped: readme.md' in lines[0]


def test_normals_and_colours(tmp_path):
    fill(tmp_path, '{name}', dict(train=dict(a=2)), columns=9)
    sample = PointCloudFolder(str(tmp_path), 'y', with_normals=True, with_rgb=True)[1]
    assert sample['normals'].shape == sample['rgb'].shape == (5, 3)
    assert 'normals' not in PointCloudFolder(str(tmp_path), 'y')[1]
    six = PointCloudFolder(str(tmp_path), 'y', with_rgb=True, columns=[*'xyzrgb', 'i', 'j', 'k'])
    assert 'rgb' in six[0]
    np.savetxt(tmp_path / 'a' / 'z.xyz', np.zeros((2, 3)))
    with pytest.raises(DataError, match=r'z.xyz\n  found:    no normals\n.*with_normals=True'):
        PointCloudFolder(str(tmp_path), 'y', with_normals=True)


def test_faults(tmp_path):
    with pytest.raises(DataError, match='no such directory'):
        PointCloudFolder(str(tmp_path / 'no'), 'y')
    with pytest.raises(DataError, match='no class folder'):
        PointCloudFolder(str(tmp_path), 'y')
    fill(tmp_path, '{split}/{name}', dict(train=dict(a=1, b=1), test=dict(a=1)))
    with pytest.raises(DataError, match=r'test/b\n  found:    no such directory'):
        PointCloudFolder(str(tmp_path), 'y', split='test')
    (tmp_path / 'train' / 'a' / 'train0.xyz').rename(tmp_path / 'train' / 'a' / 'x.e57')
    with pytest.raises(DataError, match='1 files, none of a known format'):
        PointCloudFolder(str(tmp_path), 'y')
    (tmp_path / 'train' / 'a' / 'b.xyz').write_text('1 2 nan')
    with pytest.raises(DataError, match=r'b.xyz\n  found:    NaN'):
        PointCloudFolder(str(tmp_path), 'y')


def test_up_axis_must_be_said(tmp_path):
    fill(tmp_path, '{name}')
    with pytest.raises(TypeError, match='up_axis'):
        DATASETS.build(dict(type='PointCloudFolder', data_root=str(tmp_path)))
    with pytest.raises(ValueError, match="up_axis is 'up'"):
        PointCloudFolder(str(tmp_path), 'up')
