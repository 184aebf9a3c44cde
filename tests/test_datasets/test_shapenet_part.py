import json

import numpy as np
import pytest

from pcdet_kd.datasets import ShapeNetPart
from pcdet_kd.datasets.class_names import SHAPENET_PART
from pcdet_kd.testing import check_dataset
from pcdet_kd.utils.errors import DataError

AIRPLANE, CHAIR, KNIFE = '02691156', '03001627', '03624134'
LISTS = dict(
    train=[f'{CHAIR}/a', f'{AIRPLANE}/b', f'{KNIFE}/c'],
    val=[f'{CHAIR}/d', f'{AIRPLANE}/e'],
    test=[f'{KNIFE}/f'],
)
FIRST = {AIRPLANE: 0, CHAIR: 12, KNIFE: 22}


def shapes(sizes):
    """Rows x y z nx ny nz part of each shape."""
    rng = np.random.default_rng(0)
    names = [name for listed in LISTS.values() for name in listed]
    made = {}
    for name, size in zip(names, sizes):
        synset = name[:8]
        rows = rng.normal(size=(size, 7)).round(6)
        rows[:, 6] = FIRST[synset] + rng.integers(0, len(SHAPENET_PART[synset][1]), size)
        made[name] = rows
    return made


@pytest.fixture
def text_root(tmp_path):
    root = tmp_path / 'text'
    (root / 'train_test_split').mkdir(parents=True)
    lines = [f'{name.capitalize()}\t{synset}' for synset, (name, _) in SHAPENET_PART.items()]
    (root / 'synsetoffset2category.txt').write_text('\n'.join(lines) + '\n')
    for which, names in LISTS.items():
        listing = root / 'train_test_split' / f'shuffled_{which}_file_list.json'
        listing.write_text(json.dumps([f'shape_data/{name}' for name in names]))
    for name, rows in shapes(range(20, 26)).items():
        (root / name).parent.mkdir(exist_ok=True)
        np.savetxt(root / f'{name}.txt', rows, '%.6f')
    return root


@pytest.fixture
def h5_root(tmp_path, write_h5):
    root = tmp_path / 'h5'
    synsets = list(SHAPENET_PART)
    made = shapes([24] * 6)
    for which, names in LISTS.items():
        rows = np.stack([made[name] for name in names])
        write_h5(
            root / f'ply_data_{which}0.h5',
            data=rows[..., :3].astype(np.float32),
            label=np.array([[synsets.index(name[:8])] for name in names], np.uint8),
            pid=rows[..., 6].astype(np.uint8),
        )
        (root / f'{which}_hdf5_file_list.txt').write_text(f'./ply_data_{which}0.h5\n')
    return root


def load(root, **options):
    return ShapeNetPart(str(root), num_workers=0, **options)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_text_files(text_root, num_workers):
    data = ShapeNetPart(
        str(text_root), num_workers=num_workers, split='trainval', with_normals=True
    )
    assert [sample['sample_id'] for sample in data] == LISTS['train'] + LISTS['val']
    assert data.labels().tolist() == [4, 0, 7, 4, 0] and data[2]['class_name'] == 'knife'
    for sample in data:
        rows = shapes(range(20, 26))[sample['sample_id']]
        found = [sample['points'], sample['normals'], sample['part_labels'][:, None]]
        np.testing.assert_allclose(np.hstack(found), rows, atol=1e-6)
    assert 'normals' not in load(text_root)[0]


def test_text_files_are_parsed_once(text_root, monkeypatch):
    first = load(text_root, split='trainval')
    with monkeypatch.context() as patch:
        patch.setattr(np, 'loadtxt', None)
        again = load(text_root, split='trainval')
    assert all(np.array_equal(a['points'], b['points']) for a, b in zip(first, again))
    rows = shapes(range(20, 26))[LISTS['val'][0]]
    np.savetxt(text_root / f'{LISTS["val"][0]}.txt', rows[:7], '%.6f')
    assert len(load(text_root, split='trainval')[3]['points']) == 7


def test_h5_files(h5_root):
    data = load(h5_root, split='trainval')
    assert data.labels().tolist() == [4, 0, 7, 4, 0]
    for sample, name in zip(data, LISTS['train'] + LISTS['val']):
        rows = shapes([24] * 6)[name]
        np.testing.assert_allclose(sample['points'], rows[:, :3], atol=1e-6)
        np.testing.assert_array_equal(sample['part_labels'], rows[:, 6])
    assert [s['sample_id'] for s in data][2:4] == ['ply_data_train0/0002', 'ply_data_val0/0000']


@pytest.mark.parametrize('layout', ['text_root', 'h5_root'])
def test_the_official_lists_are_the_splits(layout, request):
    root = request.getfixturevalue(layout)
    sizes = {split: len(load(root, split=split)) for split in ('train', 'val', 'trainval', 'test')}
    assert sizes == dict(train=3, val=2, trainval=5, test=1)
    assert load(root, split='val').labels().tolist() == [4, 0]
    drawn = [load(root, split=split, val_fraction=0.5) for split in ('train', 'val')]
    names = {s['sample_id'] for part in drawn for s in part}
    assert len(names) == sum(map(len, drawn)) == 5
    check_dataset(dict(type='ShapeNetPart', data_root=str(root), num_workers=0, split='trainval'))


def test_metainfo():
    meta = ShapeNetPart.METAINFO
    ranges = '0-3 4-5 6-7 8-11 12-15 16-18 19-21 22-23 24-27 28-29 30-35 36-37 38-40 41-43 44-46 '
    ranges += '47-49'
    assert ' '.join(f'{parts[0]}-{parts[-1]}' for parts in meta['class_parts']) == ranges
    assert meta['classes'][:5] == ('airplane', 'bag', 'cap', 'car', 'chair')
    assert len(meta['part_names']) == 50 and meta['part_names'][30] == 'motorbike/tank'
    assert meta['task'] == 'part_segmentation' and list(meta['classes']) == sorted(meta['classes'])


def fails(root, file, found, **options):
    with pytest.raises(DataError) as info:
        load(root, **options)
    assert str(info.value.args[0]).startswith(str(root / file)), info.value
    assert found in info.value.args[1], info.value


def test_faults_of_text_files_name_the_file(text_root):
    chair = text_root / f'{CHAIR}/a.txt'
    rows = np.loadtxt(chair)
    for change, found in (
        (rows[:, :4], '4 columns'),
        (rows + np.eye(20, 7) * np.nan, 'line 1'),
        (rows + 0.5, 'line 1'),
    ):
        np.savetxt(chair, change, '%.6f')
        fails(text_root, f'{CHAIR}/a.txt', found)
    chair.write_text('not numbers')
    fails(text_root, f'{CHAIR}/a.txt', 'cannot be read')
    np.savetxt(chair, rows - [0, 0, 0, 0, 0, 0, 12], '%.6f')
    fails(text_root, 'train_test_split/shuffled_train_file_list.json', 'part ')
    chair.unlink()
    fails(text_root, f'{CHAIR}/a.txt', 'no such file')
    listing = text_root / 'train_test_split' / 'shuffled_val_file_list.json'
    for content, found in (
        ('{}', 'no list'),
        ('["shape_data/12345678/a"]', '12345678'),
        ('[3]', '3'),
        ('[', 'cannot be read'),
    ):
        listing.write_text(content)
        fails(text_root, 'train_test_split/shuffled_val_file_list.json', found)
    listing.write_text(json.dumps([f'shape_data/{name}' for name in LISTS['train'][:1]]))
    fails(text_root, 'train_test_split', '1 shapes twice')
    (text_root / 'synsetoffset2category.txt').write_text(f'Chair\t{AIRPLANE}\n')
    fails(text_root, 'synsetoffset2category.txt', AIRPLANE)


def test_faults_of_h5_files_name_the_file(h5_root, write_h5):
    fails(h5_root, '', 'no normals', with_normals=True)
    good = dict(data=np.random.default_rng(0).random((2, 24, 3)), label=np.array([[4], [0]]))
    write_h5(h5_root / 'ply_data_val0.h5', **good)
    fails(h5_root, 'ply_data_val0.h5', "no array 'pid'")
    write_h5(h5_root / 'ply_data_val0.h5', **good, pid=np.zeros((2, 24), np.uint8))
    fails(h5_root, 'train_hdf5_file_list.txt', 'part 0')
    write_h5(
        h5_root / 'ply_data_val0.h5',
        data=good['data'][:, :20],
        label=good['label'],
        pid=np.array([[12], [0]]) * np.ones((1, 20), int),
    )
    fails(h5_root, 'val_hdf5_file_list.txt', '24 points and of 20')
    (h5_root / 'ply_data_val0.h5').unlink()
    fails(h5_root, 'ply_data_val0.h5', 'no such file')


def test_another_folder_says_which_layouts_there_are(tmp_path):
    fails(tmp_path, '', 'a directory with nothing')
    fails(tmp_path / 'nowhere', '', 'no such directory')
