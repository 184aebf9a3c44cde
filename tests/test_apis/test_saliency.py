from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pcdet_kd.apis import init_model, saliency_maps
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.evaluation import point_saliency
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = 'pointnet_small_modelnet40'
OPTIONS = dict(device='cpu', options=dict(num_points=32))


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'last.pth'
    save_checkpoint_file(dict(state_dict=init_model(CONFIG).state_dict()), path)
    return path


def clouds(*sizes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 3)).astype(np.float32) for n in sizes]


def test_maps_and_what_is_said_without_points(weights):
    found = saliency_maps(CONFIG, weights, clouds(40, 50, 60), drop=0.25, batch_size=2, **OPTIONS)
    assert [m.name for m in found.maps] == ['array 0', 'array 1', 'array 2']
    assert found.up_axis == 'y' and found.failed == [] and len(found.says) == 2
    model = init_model(CONFIG, weights, options=OPTIONS['options'])
    for each in found.maps:
        points = torch.tensor(each.points)[None]
        with torch.no_grad():
            score = model.extract(dict(points=points))[1].logits.softmax(1)[0]
        label = int(score.argmax())
        assert each.score == pytest.approx(float(score[label]), rel=1e-4)
        expected = point_saliency(model, dict(points=points), torch.tensor([label]))[0]
        np.testing.assert_allclose(each.saliency, expected, rtol=1e-3, atol=1e-6)
        kept = np.sort(np.argsort(each.saliency)[:24])
        with torch.no_grad():
            rest = model.extract(dict(points=points[:, kept]))[1].logits.softmax(1)[0]
        assert each.salient.score == pytest.approx(float(rest[label]), rel=1e-4)
        assert each.chance.score != each.salient.score and each.share == 0.25


def test_another_class(weights):
    found = saliency_maps(CONFIG, weights, clouds(40), target='sofa', **OPTIONS).maps[0]
    plain = saliency_maps(CONFIG, weights, clouds(40), **OPTIONS).maps[0]
    assert found.label == 'sofa' and found.score <= plain.score
    assert not np.array_equal(found.saliency, plain.saliency)


def test_mistakes(weights, tmp_path):
    with pytest.raises(ConfigError, match="no class 'sofaa'. Did you mean 'sofa'"):
        saliency_maps(CONFIG, weights, clouds(40), target='sofaa', **OPTIONS)
    with pytest.raises(ValueError, match=r'drop is 1, must be in \(0, 1\)'):
        saliency_maps(CONFIG, weights, clouds(40), drop=1)
    (tmp_path / 'a.ply').write_text('no cloud')
    found = saliency_maps(CONFIG, weights, tmp_path, **OPTIONS)
    assert found.maps == [] and len(found.failed) == 1


def test_at_least_one_point_is_left(weights):
    found = saliency_maps(CONFIG, weights, clouds(40), drop=0.999, **OPTIONS).maps[0]
    assert 0 < found.salient.score < 1


def test_models_of_images_are_refused(monkeypatch):
    import sys

    module = sys.modules[saliency_maps.__module__]
    views = SimpleNamespace(model=SimpleNamespace(input_key='views'))
    monkeypatch.setattr(module, 'PointCloudClassificationInferencer', lambda *a, **k: views)
    with pytest.raises(ConfigError, match="input_key: 'views', saliency needs a model of points"):
        saliency_maps(CONFIG, 'x.pth', [])
