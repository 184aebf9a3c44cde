from pathlib import Path

import pytest
from mmengine.config import Config

from pcdet_kd.datasets import ShapeNetPart
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.synthetic.shapes import CLASS_PARTS
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.config_classes import (
    check_num_classes,
    class_parts_of,
    classes_of,
    fill_num_classes,
)
from pcdet_kd.engine.stages import plan

ROOT = Path(__file__).parents[2]


def config(dataset: dict, **head) -> Config:
    student = dict(type='PointClassifier', head=dict(type='MLPHead', **head))
    frozen = dict(type='FrozenTeacher', model=dict(head=dict(type='MLPHead', num_classes=7)))
    model = dict(type='LogitKD', student=student, teachers=dict(main=frozen))
    return Config(dict(model=model, train_dataloader=dict(dataset=dataset)))


def folder(tmp_path: Path, *names: str) -> dict:
    for name in names:
        (tmp_path / name).mkdir()
    return dict(type='PointCloudFolder', data_root=str(tmp_path), up_axis='z')


def test_classes_come_from_the_kind_of_data_its_config_or_its_folders(tmp_path):
    assert len(classes_of(dict(type='ModelNet40'))) == 40
    mine = dict(type='ModelNet40', metainfo=dict(classes=['a', 'b']))
    assert list(classes_of(mine)) == ['a', 'b']
    assert list(classes_of(dict(type='RepeatDataset', times=2, dataset=mine))) == ['a', 'b']
    assert list(classes_of(dict(type='ConcatDataset', datasets=[mine]))) == ['a', 'b']
    assert list(classes_of(folder(tmp_path, 'tree', 'car'))) == ['car', 'tree']
    assert list(classes_of(dict(folder(tmp_path), classes=['tree']))) == ['tree']
    assert classes_of(dict(type='PointCloudFolder', data_root='nowhere', up_axis='z')) is None


def test_a_head_takes_the_number_of_the_data_unless_it_has_one(tmp_path):
    cfg = config(dict(type='ModelNet40'))
    fill_num_classes(cfg)
    assert cfg.model.student.head.num_classes == 40
    assert cfg.model.teachers.main.model.head.num_classes == 7
    check_num_classes(cfg, 'x')
    methods = dict(kd=dict(type='LogitKD', teachers=cfg.model.teachers))
    check_num_classes(Config(dict(cfg, model=dict(cfg.model, methods=methods))), 'x')
    open_cfg = config(dict(type='PointCloudFolder', data_root='nowhere', up_axis='z'))
    fill_num_classes(open_cfg)
    assert 'num_classes' not in open_cfg.model.student.head


def test_a_head_that_works_with_names_takes_those_of_the_data():
    cfg = config(dict(type='ModelNet40'))
    texts = dict(type='CLIPTextHead', hf_model='clip')
    cfg.model.teachers.main = dict(type='HFImageTeacher', hf_model='clip', head=texts)
    fill_num_classes(cfg)
    head = cfg.model.teachers.main.head
    assert head.num_classes == 40 and head.classes == list(MODELNET40)
    assert 'classes' not in cfg.model.student.head
    cfg.model.teachers.main.head.classes = ['own']
    fill_num_classes(cfg)
    assert cfg.model.teachers.main.head.classes == ['own']


@pytest.mark.parametrize('number', [39, 41])
def test_another_number_is_an_error_before_any_stage_trains(number):
    cfg = config(dict(type='ModelNet40'), num_classes=number)
    with pytest.raises(
        ConfigError, match=rf'model\.student\.head\.num_classes: found {number}, expected 40'
    ):
        check_num_classes(cfg, 'x')
    leaf = ROOT / 'configs/baseline/pointnet_small_modelnet40.py'
    options = {'model.head.num_classes': number}
    assert load_config(leaf, options).model.head.num_classes == number
    with pytest.raises(ConfigError, match=f'found {number}, expected 40'):
        plan(leaf, options)


def test_a_segmentor_takes_the_parts_of_the_data():
    own = [[0, 1, 2], [3]]
    for dataset, parts in (
        (dict(type='ShapeNetPart', data_root='nowhere'), ShapeNetPart.METAINFO['class_parts']),
        (dict(type='RepeatDataset', times=2, dataset=dict(type='SyntheticScans')), CLASS_PARTS),
        (dict(type='SyntheticScans', metainfo=dict(class_parts=own)), own),
        (dict(type='ModelNet40'), None),
    ):
        found = class_parts_of(dataset)
        assert found == parts
        model = dict(type='PartSegmentor', decode_head=dict(type='PointNet2DecodeHead'))
        cfg = Config(dict(model=model, train_dataloader=dict(dataset=dataset)))
        fill_num_classes(cfg)
        wanted = None if parts is None else [list(p) for p in parts]
        assert cfg.model.get('class_parts') == wanted
        assert 'num_classes' not in cfg.model.decode_head
    loader = dict(dataset=dict(type='SyntheticScans'))
    given = Config(dict(model=dict(model, class_parts=own), train_dataloader=loader))
    fill_num_classes(given)
    assert given.model.class_parts == own
