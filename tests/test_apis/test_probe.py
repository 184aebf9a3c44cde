import json

import pytest
import torch

from pcdet_kd.apis import probe, train
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.evaluation import backbone_features, knn_predict
from pcdet_kd.registry import BACKBONES, DATASETS
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.files import file_sha256

VIT = """
_base_ = 'tiny_base.py'
model = dict(type='PointClassifier', head=dict(type='MLPHead', num_classes=3),
             backbone=dict(type='PointViT', preset='asymdsd_s', embed_dims=24, depth=1, num_heads=2, num_patches=4,
                           patch_size=4, tokenizer=dict(first=(8,), second=(8,))))
"""  # noqa: E501


@pytest.fixture
def config(tiny_configs):
    path = tiny_configs / 'tiny_vit.py'
    path.write_text(VIT)
    return path


def test_a_random_backbone(config):
    first, second = (probe(config, methods=['knn'], seed=seed) for seed in (1, 1))
    assert first == second and first.weights == '' and first.seed == 1
    assert (first.pool, first.channels) == (['cls', 'mean'], 48)
    assert (first.train_samples, first.test_samples) == (18, 24)
    torch.manual_seed(1)
    backbone = BACKBONES.build(__import__('mmengine').Config.fromfile(config).model.backbone)
    pipeline = [dict(type='PackPointInputs')]
    train_data, test_data = (
        backbone_features(
            backbone,
            DATASETS.build(dict(type='TinyClouds', split=s, val_fraction=0.25, pipeline=pipeline)),
        )
        for s in ('train', 'test')
    )
    right = (knn_predict(*train_data, test_data.values) == test_data.labels).double().mean()
    assert first.accuracy['knn'] == pytest.approx(100 * right.item())
    assert json.loads(json.dumps(first.as_dict()))['settings'] == {'knn': '5, cosine, majority'}
    assert probe(config, methods=['knn'], pool=['max'], seed=2).channels == 24


def test_a_trained_backbone(config):
    trained = train(config, {'max_epochs': 1}, work_dir='run')
    found = probe(config, trained.weights, methods=['knn'], batch_size=5)
    assert found.weights == 'run/last.pth' and found.sha256 == file_sha256(trained.weights)
    assert probe(config, trained.weights, methods=['knn'], seed=9).accuracy == found.accuracy
    with pytest.raises(CheckpointError, match='does not fit PointViT'):
        probe(config, trained.weights, {'model.backbone.depth': 2}, methods=['knn'])
    with pytest.raises(ConfigError, match='PointGenerator has no backbone'):
        probe(config.with_name('tiny_generator.py'), methods=['knn'])
