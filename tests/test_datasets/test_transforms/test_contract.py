"""What every registered transform promises."""

import copy
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from pcdet_kd.datasets.base import build_transforms
from pcdet_kd.datasets.transforms.point_arrays import POINT_KEYS
from pcdet_kd.registry import TRANSFORMS

# Arguments that a transform cannot do without; all others are built from their defaults.
ARGUMENTS = {
    'ConvertUpAxis': dict(to='z'),
    'Corrupt': dict(name='gaussian', severity=3),
    'FarthestPoints': dict(num_points=16),
    'FarthestThenRandom': dict(num_points=16, num_farthest=24),
    'FirstPoints': dict(num_points=16),
    'MultiCrop': dict(
        global_crops=dict(count=2, num_points=16, fraction=(0.4, 1.0)),
        local_crops=dict(count=3, num_points=8, fraction=(0.05, 0.4)),
        transforms=[dict(type='RandomRotate')],
        on_short='resample',
    ),
    'ProjectViews': dict(image_size=8),
    'RandomCorruptions': dict(groups=[['gaussian'], ['scale']]),
    'RandomPoints': dict(num_points=16),
    'ScoreEveryPoint': dict(sampling=dict(type='FirstPoints', num_points=16, on_short='resample')),
    'SiameseViews': dict(view_1=[dict(type='ShufflePoints')], view_2=[dict(type='RandomScale')]),
}
RANDOM = [
    'Corrupt',
    'FarthestThenRandom',
    'MultiCrop',
    'PointWOLF',
    'RandomCorruptions',
    'RandomJitter',
    'RandomPointDropout',
    'RandomPoints',
    'RandomRotate',
    'RandomScale',
    'RandomShift',
    'ShufflePoints',
    'SiameseViews',
]
POINTS_ONLY = ['Corrupt', 'RandomCorruptions']  # what else belonged to the points no longer does


@pytest.fixture(autouse=True, scope='module')
def _pictures(tmp_path_factory):
    root = tmp_path_factory.mktemp('views')
    (root / 'a').mkdir()
    for view in (1, 2):
        cv2.imwrite(str(root / 'a' / f'b_00{view}.png'), np.full((4, 4), view, np.uint8))
    ARGUMENTS['LoadViews'] = dict(
        views_root=str(root), num_views=2, image_size=4, name='{sample_id}'
    )


def ours():
    TRANSFORMS.import_from_location()
    return sorted(
        name
        for name, cls in TRANSFORMS.module_dict.items()
        if cls.__module__.startswith('pcdet_kd.')
    )


def build(name):
    return TRANSFORMS.build(dict(type=name, **ARGUMENTS.get(name, {})))


def sample(n=40, seed=0, read_only=True):
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(n, 3))
    results = dict(
        points=rng.normal(size=(n, 3)).astype(np.float32) * 0.4,
        normals=(normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32),
        rgb=rng.random((n, 3), dtype=np.float32),
        heights=rng.random((n, 1), dtype=np.float32),
        part_labels=np.arange(n),
        mask=np.arange(n) - 1,
        gt_label=3,
        sample_idx=5,
        sample_id='a/b',
        num_points=n,
        up_axis='y',
    )
    for value in results.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = not read_only
    return results


def test_all_are_listed():
    assert ours() == sorted(
        {
            *RANDOM,
            'AddHeight',
            'CenterPoints',
            'ConvertUpAxis',
            'FarthestPoints',
            'FirstPoints',
            'LoadViews',
            'PackPointInputs',
            'ProjectViews',
            'ScoreEveryPoint',
            'UnitBox',
            'UnitSphere',
        }
    )


@pytest.mark.parametrize('name', ours())
@pytest.mark.parametrize('read_only', [True, False])
def test_nothing_is_changed_in_place(name, read_only):
    results = sample(read_only=read_only)
    before = copy.deepcopy(results)
    out = build(name)(results)
    assert out is not results and list(results) == list(before)
    for key, value in before.items():
        np.testing.assert_array_equal(results[key], value)
    if not read_only:  # and changing the result does not reach the sample that was given
        for value in out['inputs'].values() if 'inputs' in out else out.values():
            if isinstance(value, (np.ndarray, torch.Tensor)) and not any(
                value is v for v in results.values()
            ):
                value += 1
        for key, value in before.items():
            np.testing.assert_array_equal(results[key], value)


@pytest.mark.parametrize('name', ours())
def test_types_and_sizes(name):
    out = build(name)(sample())
    if name == 'PackPointInputs':
        assert all(v.dtype == torch.float32 for v in out['inputs'].values())
        return
    assert out['points'].dtype == np.float32
    assert (out['sample_id'], out['gt_label'], out['num_points']) == ('a/b', 3, 40)
    if name in POINTS_ONLY:
        assert not set(POINT_KEYS[1:]) & set(out)
        return
    for key in POINT_KEYS:
        assert len(out[key]) == len(out['points'])
        assert out[key].dtype == (np.int64 if key in ('part_labels', 'mask') else np.float32)
    assert out['points'].shape[1] == 3 and np.isfinite(out['points']).all()
    np.testing.assert_allclose(np.linalg.norm(out['normals'], axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize('name', ours())
def test_same_state_same_result_and_one_point_is_enough(name):
    outs = []
    for seed in (1, 1, 2):
        np.random.seed(seed)
        outs.append(build(name)(sample()))
    if name == 'PackPointInputs':
        outs = [out['inputs'] for out in outs]
    keys = [key for key in ('points', 'points_2', 'global_crops', 'local_crops') if key in outs[0]]
    assert all(np.array_equal(outs[0][key], outs[1][key]) for key in keys)
    assert any(not np.array_equal(outs[0][key], outs[2][key]) for key in keys) == (name in RANDOM)
    if 'num_points' not in ARGUMENTS.get(name, {}):
        build(name)(sample(n=1))


@pytest.mark.parametrize('name', ours())
def test_points_without_extras(name):
    results = {k: v for k, v in sample().items() if k not in POINT_KEYS or k == 'points'}
    out = build(name)(results)
    assert not {'normals', 'rgb', 'part_labels', 'mask'} & set(out)


def test_mmcv_wrappers_mix():
    transform = build_transforms(
        [
            dict(
                type='Compose',
                transforms=[
                    dict(type='RandomApply', transforms=[dict(type='RandomJitter')], prob=0.5),
                    dict(
                        type='RandomChoice',
                        transforms=[[dict(type='UnitBox')], [dict(type='UnitSphere')]],
                    ),
                    dict(type='FirstPoints', num_points=8),
                ],
            )
        ]
    )[0]
    results = [transform(sample()) for _ in range(40)]
    assert all(r['points'].shape == (8, 3) for r in results)
    assert (
        len({r['points'].tobytes() for r in results}) > 15
    )  # jitter in about half, one of two sizes in the rest
    assert len(results) > len({r['points'].tobytes() for r in results})


def test_mmcv_is_imported_by_transforms_only():
    code = (
        'import sys, pcdet_kd.datasets, pcdet_kd.views; assert "mmcv" not in sys.modules; '
        'import pcdet_kd.datasets.transforms; assert "mmcv" in sys.modules'
    )
    subprocess.run([sys.executable, '-c', code], check=True)
