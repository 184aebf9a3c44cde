import json

import numpy as np
import pytest

from pcdet_kd.datasets import PointStore

pytestmark = pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
CUBE = ''.join(f'v {i & 1} {i >> 1 & 1} {i >> 2}\n' for i in range(8)) + ''.join(
    f'f {face}\n' for face in ('1 2 4 3', '5 6 8 7', '1 2 6 5', '3 4 8 7', '1 3 7 5', '2 4 8 6')
)


@pytest.fixture
def shapenet(tmp_path):
    """Meshes in the layout of ShapeNetCore.v2, one of them damaged."""
    for synset, model in (('02691156', 'a'), ('03001627', 'b'), ('03001627', 'c')):
        folder = tmp_path / 'ShapeNetCore.v2' / synset / model / 'models'
        folder.mkdir(parents=True)
        (folder / 'model_normalized.obj').write_text('v 0' if model == 'c' else CUBE)
        (folder / 'model_normalized.json').write_text('{}')
    return tmp_path / 'ShapeNetCore.v2'


def test_meshes_of_shapenetcore(command, shapenet, tmp_path):
    out = tmp_path / 'store'
    arguments = (shapenet, '--out', out, '--up-axis', 'y', '--classes', '--mesh-points', 64)
    code, text, _ = command('pack', *arguments, '--workers', 2)
    assert code == 0 and '1 shards written, 0 there already, 1 clouds left out' in text
    assert 'The store is whole: 2 clouds' in text and '  1 left out: ' in text
    data = PointStore(str(out))
    assert data.metainfo['classes'] == ('02691156', '03001627')
    assert data[1]['sample_id'] == '03001627/b/models/model_normalized.obj'
    assert data[1]['points'].shape == (64, 3) and data.labels().tolist() == [0, 1]
    side = np.abs(data[1]['points'] - 0.5).max(1)
    np.testing.assert_allclose(side, 0.5, atol=1e-6)  # on the surface of the cube
    code, text, _ = command('pack', *arguments)
    assert code == 0 and '0 shards written, 1 there already' in text


def test_machines_and_the_command_in_the_message(command, shapenet, tmp_path):
    out = tmp_path / 'store'
    rest = (shapenet, '--out', out, '--up-axis', 'y', '--mesh-points', 8, '--clouds-per-shard', 1)
    code, text, _ = command('pack', '--shard', '2/2', '--workers', 1, *rest)
    assert code == 0 and '2 shards are still missing' in text
    expected = f'pcdet-kd pack {" ".join(map(str, rest))}'
    assert json.loads((out / 'plan.json').read_text())['command'] == expected
    code, text, _ = command('pack', *rest, '--shard=1/2', '--workers=1')
    assert code == 0 and 'whole: 2 clouds' in text


def test_a_data_set_by_name_and_a_config(command, tmp_path):
    options = ('num_train=5', 'num_test=3', 'num_points=32', f'cache_dir={tmp_path}', 'workers=1')
    out = tmp_path / 'one'
    rest = ('--dtype', 'int16', '--data-options', *options)
    code, text, error = command('pack', 'SyntheticScans', '--out', out, *rest)
    assert code == 0 and 'whole: 5 clouds' in text, error
    data = PointStore(str(out))
    assert len(data.metainfo['classes']) == 15 and data[0]['points'].shape == (32, 3)
    config = tmp_path / 'data.py'
    config.write_text(
        'train_dataloader = dict(batch_size=1, num_workers=0, dataset=dict('
        "type='SyntheticScans', split='trainval', pipeline=[dict(type='PackPointInputs')]))"
    )
    code, text, error = command('pack', config, '--out', tmp_path / 'two', *rest)
    assert code == 0 and 'whole: 5 clouds' in text, error
    test = tmp_path / 'test'
    code, text, error = command('pack', 'SyntheticScans', '--out', test, '--split', 'test', *rest)
    assert code == 0 and 'whole: 3 clouds' in text, error


def test_wrong_arguments(command, shapenet, tmp_path):
    out = ('--out', tmp_path / 'out')
    code, _, error = command('pack', shapenet, *out)
    assert code == 2 and '--up-axis is required' in error
    for wrong in ('0/2', '3/2', '1', 'a/b'):
        code, _, error = command('pack', shapenet, *out, '--up-axis', 'y', '--shard', wrong)
        assert code == 2 and 'is not I/N' in error
    code, _, error = command('pack', 'Nothing', *out)
    assert code == 1 and 'Nothing' in error
