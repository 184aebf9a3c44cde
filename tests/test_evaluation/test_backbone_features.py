import random

import numpy as np
import pytest
import torch
from torch.utils.data import Subset

from pcdet_kd.evaluation.backbone_features import backbone_features, probe_pool
from pcdet_kd.registry import BACKBONES, DATASETS

VIT = dict(
    type='PointViT',
    preset='asymdsd_s',
    embed_dims=24,
    depth=2,
    num_heads=2,
    num_patches=4,
    patch_size=4,
    tokenizer=dict(first=(8,), second=(8,)),
)
SCALED = [dict(type='RandomScale'), dict(type='PackPointInputs')]


@pytest.fixture
def data():
    return DATASETS.build(dict(type='TinyClouds', pipeline=SCALED))


def vit(**arguments):
    torch.manual_seed(0)
    return BACKBONES.build(dict(VIT, **arguments))


@pytest.mark.parametrize(
    ('arguments', 'pool'),
    [(dict(), ('cls', 'mean')), (dict(class_token=False, pool=('max',)), ('mean', 'max'))],
)
def test_of_a_transformer(data, arguments, pool):
    backbone = vit(**arguments)
    assert probe_pool(backbone) == pool
    found = backbone_features(backbone, data, batch_size=7)
    assert found.values.shape == (24, 48) and found.labels.tolist() == [i % 3 for i in range(24)]
    wanted = vit(**arguments | dict(pool=pool)).eval()
    with torch.no_grad():
        clouds = torch.stack([data[i]['inputs']['points'] for i in range(24)])
        expected = wanted(clouds).global_feat
    assert torch.allclose(found.values, expected, atol=1e-6)
    all_parts = backbone_features(backbone, data, pool=('mean', 'max', 'mean'))
    assert all_parts.values.shape == (24, 72)


def test_of_any_backbone(data):
    torch.manual_seed(0)
    net = BACKBONES.build(dict(type='PointNet', local_channels=(8,), global_channels=(16,)))
    found = backbone_features(net, data, batch_size=24)
    with torch.no_grad():
        clouds = torch.stack([data[i]['inputs']['points'] for i in range(24)])
        assert torch.equal(found.values, net.eval()(clouds).global_feat)


def test_it_leaves_no_trace(data):
    backbone = vit(drop_path=0.5).train()
    backbone.tokenizer.eval()
    modes = [m.training for m in backbone.modules()]
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    expected = random.random(), np.random.random(), torch.rand(1)
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    first = backbone_features(backbone, data)
    assert (random.random(), np.random.random(), torch.rand(1)) == expected
    assert torch.equal(backbone_features(backbone, data).values, first.values), 'deterministic'
    assert [m.training for m in backbone.modules()] == modes
    assert torch.equal(backbone_features(backbone, data, num_workers=1).values, first.values)


def test_a_sample_without_what_is_needed_is_named(data):
    backbone = vit()
    other = DATASETS.build(
        dict(type='TinyClouds', pipeline=[dict(type='PackPointInputs', keys=('gt_label',))])
    )
    with pytest.raises(ValueError, match="'train/0' has no points"):
        backbone_features(backbone, other)
    items = [data[0], data[1]]
    del items[1]['data_samples'].gt_label
    with pytest.raises(ValueError, match="'train/1' has no label"):
        backbone_features(backbone, Subset(items, [0, 1]))
