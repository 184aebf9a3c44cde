import json

import pytest

from pcdet_kd.apis import few_shot, few_shot_probe, train
from pcdet_kd.apis.few_shot import FewShotResult
from pcdet_kd.engine import pipeline
from pcdet_kd.engine.config_check import ConfigError

TASK = """
_base_ = 'tiny_base.py'
way = 2
shot = 4
fold = 0
max_epochs = 1
data = dict(_delete_=True, type='FewShotFold', dataset=dict(type='TinyClouds', num=24), way=way, shot=shot, fold=fold,
            test_per_class=3)
val_dataloader = val_evaluator = val_cfg = None
default_hooks = dict(checkpoint=dict(save_best=None, rule=None))
model = _base_.student
model.head.pop('num_classes')
"""  # noqa: E501
PRETRAIN = """
_base_ = 'tiny_base.py'
max_epochs = 1
model = _base_.student
"""


@pytest.fixture
def config(tiny_configs):
    (tiny_configs / 'tiny_pretrain.py').write_text(PRETRAIN)
    path = tiny_configs / 'tiny_task.py'
    path.write_text(TASK)
    return path


def test_every_task_is_trained_once(config, monkeypatch):
    first = few_shot(config, way=2, shot=5, folds=2)
    folders = sorted(config.parents[1].glob('work_dirs/tiny_task/2way_5shot/*'))
    assert [f.name for f in folders] == ['fold_0', 'fold_1']
    assert all(0 <= v <= 100 for v in first.accuracy['last']) and first.weights == ''
    trained = []
    original = pipeline.RUNNERS.build
    monkeypatch.setattr(
        pipeline.RUNNERS, 'build', lambda cfg: trained.append(cfg.work_dir) or original(cfg)
    )
    again = few_shot(config, way=2, shot=5, folds=3)
    assert [d for d in trained if 'fold_' in d] == ['work_dirs/tiny_task/2way_5shot/fold_2']
    assert again.accuracy['last'][:2] == first.accuracy['last']
    record = json.loads((folders[0] / 'stage.json').read_text())
    assert record['config']['train_dataloader.dataset.shot'] == '5'


def test_the_stage_that_it_starts_from_is_trained_once(config):
    start = "init_cfg=dict(type='PretrainedBackbone', checkpoint='stage:pretrain')"
    text = f"{config.read_text()}requires = dict(pretrain='tiny_pretrain.py')\n"
    config.write_text(f'{text}model.backbone.update({start})\n')
    found = few_shot(config, way=2, shot=4, folds=2, work_dir='there')
    assert found.weights == 'work_dirs/tiny_pretrain/last.pth'
    assert {p.parent.name for p in config.parents[1].rglob('stage.json')} == {
        'fold_0',
        'fold_1',
        'tiny_pretrain',
    }
    frozen = few_shot_probe(config, way=2, shot=4, folds=1, methods=['knn'])
    assert frozen.weights == found.weights


def test_frozen_features(config):
    weights = train(config.with_name('tiny_pretrain.py')).weights
    found = few_shot_probe(config, weights, way=2, shot=4, folds=3, methods=['knn'])
    assert len(found.accuracy['knn']) == 3
    assert found.weights == 'work_dirs/tiny_pretrain/last.pth'
    again = few_shot_probe(config, weights, way=2, shot=4, folds=3, methods=['knn'], seed=5)
    assert again.accuracy == found.accuracy
    random = few_shot_probe(config, way=3, shot=6, folds=1, methods=['knn'], seed=1)
    assert random.weights == '' and len(random.accuracy['knn']) == 1


def test_figures():
    found = FewShotResult(dict(last=[90.0, 96.0, 99.0]), 'a.py', '', 5, 10, None)
    assert found.mean('last') == 95.0 and found.deviation('last') == pytest.approx(21**0.5)
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain['summary']['last'] == {'mean': 95.0, 'deviation': pytest.approx(21**0.5)}
    one = FewShotResult(dict(last=[90.0]), 'a.py', '', 5, 10, None)
    assert one.as_dict()['summary']['last']['deviation'] is None


def test_another_config_is_told_what_is_missing(config):
    with pytest.raises(ConfigError, match=r'way: not a variable(.|\n)*fold: not a variable'):
        few_shot(config.with_name('tiny_pretrain.py'))
