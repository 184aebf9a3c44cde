import numpy as np
import pytest

from pcdet_kd.datasets import ShapeNet55
from pcdet_kd.testing import check_dataset
from pcdet_kd.utils.errors import DataError

TRAIN = ['02691156-a', '03001627-b', '04554684-c', '03001627-d', '03001627-e', '02691156-f']
TEST = ['03001627-g', '02747177-h']


@pytest.fixture
def root(tmp_path, clouds):
    (tmp_path / 'ShapeNet-55').mkdir()
    (tmp_path / 'shapenet_pc').mkdir()
    for split, names in (('train', TRAIN), ('test', TEST)):
        lines = ''.join(f'{name}.npy\n' for name in names)
        (tmp_path / 'ShapeNet-55' / f'{split}.txt').write_text(lines)
    for name, cloud in zip(TRAIN + TEST, clouds(8, 16)):
        np.save(tmp_path / 'shapenet_pc' / f'{name}.npy', cloud)
    return tmp_path


def test_lists_order_and_classes(root, clouds):
    data = ShapeNet55(str(root), split='trainval')
    np.testing.assert_array_equal(data.records.points, clouds(8, 16)[:6])
    assert [data[i]['sample_id'] for i in range(6)] == TRAIN
    assert data.labels().tolist() == [0, 18, 54, 18, 18, 0]
    assert [data[i]['class_name'] for i in range(3)] == ['airplane', 'chair', 'washer']
    assert len(data.metainfo['classes']) == 55 and data[0]['up_axis'] == 'y'
    test = ShapeNet55(str(root), split='test')
    assert [test[i]['sample_id'] for i in range(2)] == TEST
    assert test.labels().tolist() == [18, 1]
    train, val = (ShapeNet55(str(root), split=s, val_fraction=0.4) for s in ('train', 'val'))
    assert len(train) + len(val) == 6 and len(val) == 2


def test_every_shape_for_training_without_labels(root, clouds):
    data = ShapeNet55(str(root), train_lists=('train', 'test'), split='trainval')
    assert [data[i]['sample_id'] for i in range(8)] == TRAIN + TEST
    np.testing.assert_array_equal(data.records.points, clouds(8, 16))
    assert len(ShapeNet55(str(root), train_lists=['train', 'test'], split='test')) == 2
    with pytest.raises(ValueError, match='train_lists'):
        ShapeNet55(str(root), train_lists=('val',))


def test_contract(root):
    check_dataset(dict(type='ShapeNet55', data_root=str(root), pipeline=[dict(type='UnitSphere')]))


def fails(root, file, found, **options):
    with pytest.raises(DataError) as info:
        ShapeNet55(str(root), **options)
    assert str(info.value.args[0]) == str(root / file) and found in info.value.args[1], info.value


def test_faults_name_the_file(root, clouds):
    pc = root / 'shapenet_pc'
    np.save(pc / f'{TRAIN[1]}.npy', clouds(1, 15)[0])
    fails(root, f'shapenet_pc/{TRAIN[1]}.npy', '15 points')
    np.save(pc / f'{TRAIN[1]}.npy', clouds(1, 16, 6)[0])
    fails(root, f'shapenet_pc/{TRAIN[1]}.npy', 'shape (16, 6)')
    (pc / f'{TRAIN[1]}.npy').unlink()
    fails(root, f'shapenet_pc/{TRAIN[1]}.npy', 'no such file')
    listing = root / 'ShapeNet-55' / 'train.txt'
    for line in ('12345678-a.npy', '03001627-a.txt', '03001627-../x.npy'):
        listing.write_text(f'{line}\n')
        fails(root, 'ShapeNet-55/train.txt', line)
    listing.write_text(f'{TEST[0]}.npy\n')
    fails(root, 'ShapeNet-55/test.txt', '1 names', train_lists=('train', 'test'))
    listing.unlink()
    fails(root, 'ShapeNet-55/train.txt', 'no such file')
    fails(root / 'nowhere', '', 'no such directory')
