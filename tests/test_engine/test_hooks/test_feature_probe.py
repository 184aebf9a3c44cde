import json

import pytest
import torch

from pcdet_kd.engine.hooks import FeatureProbeHook
from pcdet_kd.utils.errors import UserError

MODEL = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet', local_channels=(8,), global_channels=(8,)),
    head=dict(type='MLPHead', num_classes=2, hidden_channels=(8,)),
)
DATA = dict(type='ToyDataset', size=12, pipeline=[dict(type='ToyPack', noise=0)])
PROBE = dict(type='FeatureProbeHook', interval=2, train=DATA, test=DATA, methods=['knn'])
LOCAL = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])


def weights(runner):
    return torch.cat([v.double().flatten() for v in runner.model.state_dict().values()])


def logged(folder):
    lines = [
        json.loads(line)
        for file in sorted(folder.glob('*/vis_data/scalars.json'))
        for line in file.read_text().splitlines()
    ]
    return [(line['step'], line['probe/knn']) for line in lines if 'probe/knn' in line]


def test_training_is_the_same_with_and_without_and_resumed(runner_of, tmp_path):
    options = dict(model=MODEL, epochs=3, visualizer=LOCAL)
    plain = runner_of(work_dir=tmp_path / 'plain', **options)
    plain.train()
    probed = runner_of(work_dir=tmp_path / 'probed', custom_hooks=[PROBE], **options)
    probed.train()
    assert torch.equal(weights(plain), weights(probed))
    found = logged(tmp_path / 'probed')
    assert [step for step, _ in found] == [2, 3] and all(0 <= v <= 100 for _, v in found)
    act = dict(type='ActHook', at=7, act='raise')
    with pytest.raises(TypeError, match='a bug'):
        runner_of(work_dir=tmp_path / 'parts', custom_hooks=[PROBE, act], **options).train()
    again = runner_of(work_dir=tmp_path / 'parts', custom_hooks=[PROBE], resume=True, **options)
    again.train()
    assert torch.equal(weights(again), weights(plain))
    assert logged(tmp_path / 'parts') == found


def test_the_backbone_that_is_evaluated_is_probed(runner_of, monkeypatch):
    runner = runner_of(model=MODEL, custom_hooks=[PROBE], epochs=1)
    runner.model.evaluated_backbone = other = runner.model.backbone.__class__(
        local_channels=(8,), global_channels=(4,)
    )
    probed = []
    from pcdet_kd.engine.hooks import feature_probe

    original = feature_probe.backbone_features

    def noted(backbone, *args, **kwargs):
        probed.append(backbone)
        return original(backbone, *args, **kwargs)

    monkeypatch.setattr(feature_probe, 'backbone_features', noted)
    runner.train()
    assert probed == [other, other]


def test_mistakes_are_told_before_training(runner_of, monkeypatch):
    with pytest.raises(ValueError, match='interval is 0'):
        FeatureProbeHook(0, DATA, DATA)
    with pytest.raises(ValueError, match='ToyModel has no backbone'):
        runner_of(custom_hooks=[PROBE]).train()
    monkeypatch.setitem(__import__('sys').modules, 'sklearn.svm', None)
    with pytest.raises(UserError, match='needs scikit-learn'):
        runner_of(model=MODEL, custom_hooks=[dict(PROBE, methods=['svm'])]).train()
