import numpy as np
import pytest

from pcdet_kd.datasets import FewShotFold
from pcdet_kd.engine.config_classes import classes_of
from pcdet_kd.registry import DATASETS
from pcdet_kd.testing import check_dataset
from pcdet_kd.utils.errors import DataError

TINY = dict(type='TinyClouds', num=30)


def task(**arguments):
    return DATASETS.build(dict(type='FewShotFold', dataset=TINY, **arguments))


def test_the_clouds_are_those_of_the_data_set():
    given = dict(way=2, shot=3, fold=4, test_per_class=5)
    train, test = task(**given), task(split='test', **given)
    assert len(train) == 6 and len(test) == 10
    assert train.metainfo['classes'] == test.metainfo['classes']
    assert train.labels().tolist() == [0] * 3 + [1] * 3
    for part, source in ((train, dict(split='trainval')), (test, dict(split='test'))):
        whole = DATASETS.build(dict(TINY, **source))
        by_id = {info['sample_id']: i for i, info in enumerate(whole.data_list)}
        for info in part:
            other = whole[by_id[info['sample_id']]]
            assert np.array_equal(info['points'], other['points'])
            assert info['class_name'] == other['class_name']
    assert {i['sample_id'] for i in train} != {i['sample_id'] for i in task(**given | {'fold': 5})}


def test_all_classes_and_the_rest_of_the_training_set():
    train, test = (
        task(shot=4, test_per_class=None, test_from='rest', split=s) for s in ('trainval', 'test')
    )
    assert len(train) == 12 and len(test) == 18
    assert train.metainfo['classes'] == ('along_x', 'along_y', 'along_z')
    ids = [info['sample_id'] for part in (train, test) for info in part]
    assert sorted(ids) == sorted(f'train/{i}' for i in range(30))
    names = [info['class_name'] for info in test]
    assert names == [f'along_{"xyz"[i]}' for i in test.labels()]


def test_contract_and_number_of_classes():
    cfg = dict(type='FewShotFold', dataset=TINY, way=2, shot=3, test_per_class=5)
    check_dataset(cfg)
    check_dataset(dict(cfg, split='test'))
    assert len(classes_of(cfg)) == 2
    assert classes_of(dict(cfg, way=None)) == ('along_x', 'along_y', 'along_z')


def test_mistakes():
    with pytest.raises(DataError, match=r'0 classes have 5 training and 20 test(.|\n)*fewer'):
        task(way=2, shot=5)
    for wrong in (dict(shot=0), dict(shot=1, way=1), dict(shot=1, fold=-1)):
        with pytest.raises(ValueError, match='must be at least 1, 2 and 0'):
            task(**wrong)
    with pytest.raises(ValueError, match="test_from is 'val'"):
        FewShotFold(TINY, 1, test_from='val')


def test_of_a_store_on_the_disk_with_clouds_of_any_size(make_store):
    labels = [0, 1, 0, 1, 2, 0, 1, 0]
    root, clouds = make_store(sizes=range(3, 11), labels=labels)
    inner = dict(type='PointStore', data_root=str(root))
    given = dict(type='FewShotFold', dataset=inner, shot=2, test_per_class=None, test_from='rest')
    train, test = (DATASETS.build(dict(given, split=split)) for split in ('train', 'test'))
    assert train.labels().tolist() == [0, 0, 1, 1] and test.labels().tolist() == [0, 0, 1]
    for info in (*train, *test):
        number = int(info['sample_id'][2:-4])
        assert np.array_equal(info['points'], clouds[number])
        assert labels[number] == info['gt_label']
