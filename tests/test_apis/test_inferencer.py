import numpy as np
import pytest
import torch

from pcdet_kd.apis import PointCloudClassificationInferencer, export_model, init_model
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.ops import farthest_point_sample
from pcdet_kd.utils.checkpoint import save_checkpoint_file
from pcdet_kd.utils.exported_files import format_of

CONFIG = 'pointnet_small_modelnet40'


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Random weights of the small PointNet."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'last.pth'
    save_checkpoint_file(dict(state_dict=init_model(CONFIG).state_dict()), path)
    return path


def make(weights, **args):
    options = dict(num_points=32)
    return PointCloudClassificationInferencer(
        CONFIG, weights, 'cpu', options=options, show_progress=False, **args
    )


def clouds(*sizes):
    rng = np.random.default_rng(0)
    return [rng.normal(3, 2, (size, 3)).astype(np.float32) for size in sizes]


def test_a_cloud_is_sampled_scaled_and_classified(weights):
    inferencer = make(weights)
    (cloud,) = clouds(50)
    (found,) = inferencer(cloud, topk=3, features=True)['predictions']
    points = torch.from_numpy(cloud - cloud.mean(0))
    points = points / points.norm(dim=1).max()
    chosen = farthest_point_sample(points[None], 32, start=0)[0]
    _, out = inferencer.model.extract(dict(points=points[chosen][None]))
    score = out.logits[0].detach().softmax(0)
    assert found['label'] == int(score.argmax()) and found['name'] == 'array 0'
    assert found['class'] == inferencer.classes[found['label']]
    assert found['score'] == pytest.approx(float(score.max()), rel=1e-4)
    np.testing.assert_allclose(found['feature'], out.feat[0].detach().numpy(), atol=1e-5)
    assert [name for name, _ in found['top']] == [
        inferencer.classes[i] for i in score.topk(3).indices
    ]
    assert inferencer.says == [
        'centred and scaled into the unit sphere',
        '32 points by farthest-point sampling',
    ]


def test_results_keep_the_order_and_do_not_depend_on_batches(weights):
    given = clouds(50, 20, 33, 32, 8)
    inferencer = make(weights)
    one, many = (inferencer(given, batch_size=n)['predictions'] for n in (1, 4))
    assert [p['name'] for p in one] == [f'array {i}' for i in range(5)]
    for a, b in zip(one, many):
        assert a['class'] == b['class'] and a['score'] == pytest.approx(b['score'], rel=1e-4)


def test_clouds_of_another_up_axis_are_turned(weights):
    (cloud,) = clouds(40)
    turned = np.roll(cloud, 1, axis=1)  # y up to z up
    plain = make(weights)(cloud)['predictions'][0]
    inferencer = make(weights, up_axis='z')
    assert inferencer.says[0] == 'turned from z up to y up'
    found = inferencer(turned)['predictions'][0]
    assert found['score'] == pytest.approx(plain['score'], rel=1e-4)
    assert make(weights)(turned)['predictions'][0]['score'] != pytest.approx(plain['score'])


def test_without_normalisation(weights):
    (cloud,) = clouds(32)
    sphere = cloud - cloud.mean(0)
    sphere /= np.linalg.norm(sphere, axis=1).max()
    plain = make(weights, normalize=False)
    assert plain(cloud)['predictions'][0]['score'] != pytest.approx(
        plain(sphere)['predictions'][0]['score']
    )
    assert plain.says == ['32 points by farthest-point sampling']


def test_what_cannot_be_used_is_left_out_and_told(weights, tmp_path):
    np.save(tmp_path / 'good.npy', clouds(40)[0])
    (tmp_path / 'bad.ply').write_text('ply')
    found = make(weights)([tmp_path, np.zeros((0, 3))])
    assert [p['name'] for p in found['predictions']] == [str(tmp_path / 'good.npy')]
    assert [f['name'] for f in found['failed']] == [str(tmp_path / 'bad.ply'), 'array 2']
    samples = make(weights)([tmp_path / 'good.npy'], return_datasamples=True)['predictions']
    assert samples[0].pred_score.shape == (40,)


def test_a_model_that_is_no_classifier_is_refused(weights, tmp_path):
    with pytest.raises(ConfigError, match='predict needs a classifier'):
        config = 'asymdsd_pretrain_tiny_modelnet40'
        PointCloudClassificationInferencer(config, pretrained(config, tmp_path), 'cpu')


def pretrained(config, folder):
    path = folder / 'pretrained.pth'
    save_checkpoint_file(dict(state_dict=init_model(config).state_dict()), path)
    return path


def test_whole_clouds_go_in_batches_of_one_size(weights):
    options = dict(eval_pipeline=[dict(type='UnitSphere'), dict(type='PackPointInputs')])
    inferencer = PointCloudClassificationInferencer(
        CONFIG, weights, 'cpu', options=options, show_progress=False
    )
    given = clouds(30, 20, 30, 20, 25)
    found = inferencer(given, batch_size=2)['predictions']
    assert [p['name'] for p in found] == [f'array {i}' for i in range(5)]
    assert inferencer.says == ['UnitSphere as in the config']
    (alone,) = inferencer(given[3])['predictions']
    assert found[3]['score'] == pytest.approx(alone['score'], rel=1e-4)


def test_a_transform_that_draws_gives_one_result(weights):
    jitter = [dict(type='RandomJitter', sigma=0.5, clip=1.0), dict(type='PackPointInputs')]
    inferencer = PointCloudClassificationInferencer(
        CONFIG, weights, 'cpu', options=dict(eval_pipeline=jitter), show_progress=False
    )
    (cloud,) = clouds(30)
    first, second = (inferencer(cloud)['predictions'][0]['score'] for _ in range(2))
    assert first == second


def test_the_points_that_the_model_saw(weights):
    (cloud,) = clouds(20)
    (found,) = make(weights)(cloud, clouds=True)['predictions']
    assert found['points'].shape == (32, 3)
    assert np.linalg.norm(found['points'], axis=1).max() == pytest.approx(1, abs=1e-5)
    assert 'points' not in make(weights)(cloud)['predictions'][0]


@pytest.mark.parametrize('name', ['net.onnx', 'net.pt2', 'net'])
def test_an_exported_model_needs_no_config(weights, tmp_path, name):
    pytest.importorskip('onnx')
    pytest.importorskip('safetensors')
    kind = format_of(name)
    export_model(CONFIG, weights, tmp_path / name, kind, options=dict(num_points=32), seconds=0)
    exported = PointCloudClassificationInferencer(
        tmp_path / name, device='cpu', show_progress=False, trust=True
    )
    plain, given = make(weights), clouds(50, 20, 33)
    assert exported.says == plain.says and exported.classes == plain.classes
    found, expected = (
        i(given, batch_size=2, features=True)['predictions'] for i in (exported, plain)
    )
    for one, other in zip(found, expected):
        assert (one['name'], one['class']) == (other['name'], other['class'])
        assert one['score'] == pytest.approx(other['score'], abs=1e-5)
        np.testing.assert_allclose(one['feature'], other['feature'], atol=1e-4)
    turned = PointCloudClassificationInferencer(
        tmp_path / name, device='cpu', up_axis='z', show_progress=False, trust=True
    )
    assert turned.says[0] == 'turned from z up to y up'
