import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def modelnet(tmp_path):
    """Four shapes in ModelNet40's layout, and their meshes."""
    root = tmp_path / 'modelnet40_ply_hdf5_2048'
    root.mkdir()
    points = np.random.default_rng(0).normal(size=(4, 2048, 3))
    points /= np.linalg.norm(points, axis=2).max(1)[:, None, None]
    names = [
        'airplane/airplane_0627.ply',
        'bowl/bowl_0065.ply',
        'bowl/bowl_0066.ply',
        'xbox/xbox_0104.ply',
    ]
    for split in ('train', 'test'):
        (root / f'{split}_files.txt').write_text(
            f'data/modelnet40_ply_hdf5_2048/ply_data_{split}0.h5\n'
        )
        (root / f'ply_data_{split}_0_id2file.json').write_text(json.dumps(names))
        with h5py.File(root / f'ply_data_{split}0.h5', 'w') as file:
            file['data'], file['label'] = (
                points.astype(np.float32),
                np.array([[0], [6], [6], [39]], np.uint8),
            )
    for name in names:
        path = tmp_path / 'ModelNet40' / Path(name).parent / 'test' / f'{Path(name).stem}.off'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            'OFF4 4 6\n0 0 0\n9 0 0\n0 9 0\n0 0 9\n3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n'
        )
    return tmp_path


def test_whole_suite_of_modelnet40(modelnet):
    """From the published layouts of clouds and meshes to the published layout of the suite, by the
    tool.
    """
    out = modelnet / 'modelnet40_c'
    done = subprocess.run(
        [
            sys.executable,
            'tools/dataset_converters/corrupt.py',
            'ModelNet40',
            '--suite',
            'modelnet40-c',
            '--out',
            str(out),
            '--data-options',
            f'data_root={modelnet / "modelnet40_ply_hdf5_2048"}',
            '--meshes',
            str(modelnet / 'ModelNet40'),
            '--severities',
            '1',
            '5',
            '--workers',
            '2',
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f'{out}: 32 files written, 0 there already\n'
    assert np.load(out / 'label.npy').ravel().tolist() == [0, 6, 6, 39]
    assert np.load(out / 'data_lidar_5.npy').shape == (4, 768, 3)
    assert np.load(out / 'data_upsampling_5.npy').shape == (4, 2048, 3)
    mark = json.loads((out / 'generated.json').read_text())
    assert mark['source'] == 'ModelNet40, split test' and mark['num_samples'] == 4


def test_from_a_config(command, modelnet):
    options = (
        '--cfg-options',
        f'data_root={modelnet / "modelnet40_ply_hdf5_2048"}',
        '--workers',
        1,
    )
    config = ROOT / 'configs/baseline/pointnet_modelnet40.py'
    code, text, _ = command(
        'corrupt',
        config,
        '--suite',
        'modelnet-c',
        '--out',
        modelnet / 'c',
        '--corruptions',
        'jitter',
        '--seed',
        3,
        *options,
    )
    assert code == 0 and '6 files written' in text
    with h5py.File(modelnet / 'c/jitter_4.h5') as file:
        assert file['data'].shape == (4, 1024, 3)
    code, _, error = command(
        'corrupt', config, '--suite', 'modelnet-c', '--out', modelnet / 'c', *options
    )
    assert code == 1 and 'seed 3' in error and 'Traceback' not in error


def test_other_data(command, tmp_path):
    arguments = (
        'SyntheticScans',
        '--data-options',
        'variant=OBJ_ONLY',
        'num_train=15',
        'num_test=2',
        'num_points=1024',
        f'cache_dir={tmp_path / "cache"}',
        '--suite',
        'modelnet40-c',
        '--severities',
        1,
        '--workers',
        1,
    )
    code, text, _ = command('corrupt', *arguments, '--out', tmp_path / 'a')
    assert code == 0 and '15 files written' in text and 'occlusion, lidar left out' in text
    code, text, _ = command('corrupt', *arguments, '--out', tmp_path / 'a', '--meshes', 'own')
    assert code == 0 and '2 files written, 15 there already' in text and 'left out' not in text


def test_clouds_in_metres(command, tmp_path):
    for i in range(2):
        path = tmp_path / f'data/pole/{i}.npy'
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.random.default_rng(i).normal(size=(900 + i, 3)) + 5)
    arguments = (
        'PointCloudFolder',
        '--data-options',
        f'data_root={tmp_path / "data"}',
        'up_axis=z',
        '--split',
        'trainval',
        '--suite',
        'modelnet-c',
        '--out',
        tmp_path / 'out',
        '--workers',
        1,
    )
    code, _, error = command('corrupt', *arguments)
    assert code == 1 and '--normalize sphere' in error and not (tmp_path / 'out').exists()
    code, text, _ = command('corrupt', *arguments, '--normalize', 'sphere')
    assert code == 0 and '36 files written' in text


@pytest.mark.parametrize(
    'arguments, code, message',
    [
        (('none.py',), 1, 'no config'),
        (('ModelNet41',), 1, "Did you mean 'ModelNet40'"),
        (('ModelNet40', '--data-options', 'dataroot=x'), 1, "Did you mean 'data_root'"),
        (('ModelNet40', '--data-options', 'data_root=nowhere'), 1, 'no such directory'),
        (('SyntheticScans', '--corruptions', 'lidar'), 2, "has no corruption 'lidar'"),
        (('SyntheticScans', '--severities', '7'), 2, 'severity is 7'),
    ],
)
def test_mistakes(command, tmp_path, arguments, code, message):
    if arguments[0] == 'SyntheticScans':
        arguments += (
            '--data-options',
            'variant=OBJ_ONLY',
            'num_train=15',
            'num_test=2',
            f'cache_dir={tmp_path}',
        )
    found, _, error = command(
        'corrupt', *arguments, '--suite', 'modelnet-c', '--out', tmp_path / 'out'
    )
    assert found == code and message in error and 'Traceback' not in error
