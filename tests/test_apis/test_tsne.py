import numpy as np
import pytest
import torch

from pcdet_kd.apis import init_model, tsne
from pcdet_kd.apis import tsne as function
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = """
model = dict(type='PointClassifier',
    backbone=dict(type='PointNet', local_channels=(8,), global_channels=(16,),
        input_transform=False, feature_transform=False),
    head=dict(type='MLPHead', hidden_channels=(), num_classes=3))
test_dataloader = dict(batch_size=2, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='TinyClouds', split='test', num={num},
        pipeline=[dict(type='PackPointInputs')]))
"""


@pytest.fixture
def run(tmp_path):
    pytest.importorskip('sklearn')
    path, weights = tmp_path / 'tiny.py', tmp_path / 'w.pth'

    def write(num=24):
        path.write_text(CONFIG.format(num=num))
        torch.manual_seed(0)
        save_checkpoint_file(dict(state_dict=init_model(path).state_dict()), weights)
        return path, weights

    return write


@pytest.fixture
def drawn(monkeypatch):
    import sys

    calls = []
    module = sys.modules[function.__module__]
    monkeypatch.setattr(module, 'draw_embedding', lambda *a: calls.append(a) or a[3])
    return calls


def test_some_clouds_of_a_split(run, drawn):
    for _ in range(2):
        tsne(*run(), 'x.png', num=12, device='cpu')
    places, labels, classes, out, title = drawn[0]
    assert places.shape == (12, 2) and len(labels) == 12 and out == 'x.png'
    assert classes == ('along_x', 'along_y', 'along_z')
    assert 'features of PointNet\ntest split, 12 clouds, perplexity 3.67, seed 0' in title
    np.testing.assert_array_equal(places, drawn[1][0])


def test_what_cannot_be_drawn(run, drawn):
    with pytest.raises(ConfigError, match='train_dataloader: missing'):
        tsne(*run(), split='train', device='cpu')
    with pytest.raises(ConfigError, match='test: 3 labelled clouds, t-SNE needs 4'):
        tsne(*run(3), device='cpu')
