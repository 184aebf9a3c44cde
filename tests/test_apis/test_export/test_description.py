import json

import pytest

from pcdet_kd.apis import init_model
from pcdet_kd.apis.export.description import Description, ExportError, describe
from pcdet_kd.apis.models import model_config
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.utils.checkpoint import CheckpointError

SMALL = 'pointnet_small_modelnet40'


def described(name=SMALL, options=None, **args):
    cfg = load_config(model_config(name), options)
    return describe(init_model(cfg), cfg, **args)


def test_what_a_config_says():
    found = described()
    assert found.input == 'points' and found.up_axis == 'y' and len(found.classes) == 40
    assert found.classes[0] == 'airplane' and found.num_points == 1024 and found.views is None
    assert [step['type'] for step in found.preprocessing] == ['FirstPoints', 'PackPointInputs']
    assert found.model['type'] == 'PointClassifier' and found.name == 'pointnet_small_modelnet40'
    assert found.training == dict(data_set='ModelNet40', config=f'configs/baseline/{SMALL}.py')
    assert Description.read(found.texts(), 'x') == found


def test_the_number_of_points():
    found = described(num_points=77)
    assert found.num_points == found.preprocessing[0]['num_points'] == 77
    whole = dict(eval_pipeline=[dict(type='UnitSphere'), dict(type='PackPointInputs')])
    assert described(options=whole).num_points is None
    found = described(options=whole, num_points=77)
    assert found.preprocessing[0] == dict(type='FarthestPoints', num_points=77)


def test_a_model_of_views_says_how_they_are_drawn():
    found = described('pcdet_kd::pointcmt/mvcnn_small_modelnet40.py')
    assert found.input == 'views' and found.views['type'] == 'PerspectiveProjection'


def test_a_distiller_is_described_by_its_student():
    found = described('jgekd_pointnet2_small_self_modelnet40')
    assert found.model['type'] == 'PointClassifier' and found.num_points == 1024


def test_what_the_run_reached(tmp_path):
    results = dict(last=dict(accuracy=81.0, note='x'), best=dict(accuracy=82.0))
    StageRecord({}, results=results, test_samples=100).write(tmp_path)
    for name, accuracy in (('last.pth', 81.0), ('student_best.pth', 82.0)):
        (tmp_path / name).touch()
        training = described(checkpoint=tmp_path / name).training
        assert training['results'] == dict(accuracy=accuracy)
        assert training['split'] == 'test' and training['test_samples'] == 100
    (tmp_path / 'epoch_3.pth').touch()
    assert 'results' not in described(checkpoint=tmp_path / 'epoch_3.pth').training


def changed(**entries):
    texts = Description('points', [8, 3], ['a'], 'y', 8, [dict(type='UnitSphere')]).texts()
    return {**texts, **{k: v if isinstance(v, str) else json.dumps(v) for k, v in entries.items()}}


@pytest.mark.parametrize(
    'entries, message',
    [
        (dict(format=99), 'has format 99, expected 1'),
        (dict(classes='[1'), 'incomplete or damaged'),
        (dict(classes='[' * 10**5), 'incomplete or damaged'),
        (dict(classes=3), "'classes' is a int"),
        (dict(preprocessing=[dict(type='os.system', command='ls')]), 'not a registered transform'),
        (dict(preprocessing=[dict(type='LoadViews', path='x')]), 'would read another file'),
        (dict(preprocessing=['UnitSphere']), 'no list of transforms'),
    ],
)
def test_a_strange_description_is_refused(entries, message):
    with pytest.raises(CheckpointError, match=f'x.onnx.*{message}'):
        Description.read(changed(**entries), 'x.onnx')
    Description.read(changed(), 'x.onnx')


def test_no_description_at_all():
    with pytest.raises(CheckpointError, match='does not describe itself'):
        Description.read({}, 'x.onnx')
    texts = changed()
    del texts['up_axis']
    with pytest.raises(CheckpointError, match='incomplete'):
        Description.read(texts, 'x.onnx')


def test_a_pipeline_that_plain_values_cannot_tell():
    cfg = load_config(model_config(SMALL))
    model = init_model(cfg)
    cfg.test_dataloader.dataset.pipeline = [dict(type='UnitSphere', place='a/b')]
    with pytest.raises(ExportError, match='cannot be kept in a file'):
        describe(model, cfg)
