import numpy as np
import pytest
import torch

from pcdet_kd.apis import PointCloudClassificationInferencer, init_model, playground
from pcdet_kd.corruptions.geometry import to_unit_sphere, turned
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = 'pointnet_small_modelnet40'
OPTIONS = dict(num_points=32)


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'last.pth'
    save_checkpoint_file(dict(state_dict=init_model(CONFIG).state_dict()), path)
    return path


def cloud():
    return np.random.default_rng(0).normal(size=(800, 3)).astype(np.float32) * (1, 2, 3) + 5


def test_all_states_with_answers(weights, tmp_path):
    (tmp_path / 'b.ply').write_text('no cloud')
    options = dict(device='cpu', options=OPTIONS, up_axis='z', num_points=700)
    (found,), says, failed = playground(CONFIG, weights, [cloud(), tmp_path], **options)
    assert found.name == 'array 0' and [row['name'] for row in failed] == [str(tmp_path / 'b.ply')]
    states = [(v.corruption, v.severity) for v in found.versions]
    assert states[:3] == [('clean', 0), ('scale', 0), ('scale', 1)] and len(states) == 36
    clean = found.versions[0].points
    assert clean.shape == (700, 3)
    expected = turned(to_unit_sphere(cloud()), 'z', 'y')
    gaps = np.linalg.norm(clean[:, None] - expected[None], axis=2).min(axis=1)
    assert gaps.max() < 1e-5 and np.ptp(clean[:, 1]) > 1.8  # z, the longest axis, is up
    model = PointCloudClassificationInferencer(
        CONFIG, weights, 'cpu', 'y', False, OPTIONS, show_progress=False
    )
    for version in found.versions[::7]:
        top = model(version.points, topk=3)['predictions'][0]['top']
        assert [name for name, _ in version.tops['student']] == [name for name, _ in top]
        assert version.tops['student'][0][1] == pytest.approx(top[0][1], rel=1e-4)
    assert 'ModelNet-C: corruptions that need no mesh' in says['corruptions']
    assert says['student'].endswith('; 32 points by farthest-point sampling')  # not normalised


def test_noise_grows_in_one_direction(weights):
    (found,), _, _ = playground(CONFIG, weights, cloud(), device='cpu', options=OPTIONS)
    clean = found.versions[0].points
    mild, strong = (
        next(v for v in found.versions if (v.corruption, v.severity) == ('jitter', s)).points
        for s in (0, 4)
    )
    np.testing.assert_allclose(strong - clean, 5 * (mild - clean), atol=1e-5)


def test_a_teacher_and_another_suite(weights):
    few = dict(device='cpu', options=OPTIONS, suite='modelnet40-c')
    (found,), says, _ = playground(CONFIG, weights, cloud(), teacher=(CONFIG, weights), **few)
    assert len(found.versions) == 1 + 13 * 5 and {'student', 'teacher'} < says.keys()
    assert set(found.versions[0].tops) == {'student', 'teacher'}
    with pytest.raises(ValueError, match='suite'):
        playground(CONFIG, weights, cloud(), suite='other')
