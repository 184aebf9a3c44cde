import numpy as np
import pytest
import torch

from pcdet_kd.datasets.transforms import PackPointInputs, ScoreEveryPoint, ShufflePoints


def sample():
    rng = np.random.default_rng(0)
    results = dict(
        points=rng.random((6, 3), dtype=np.float32),
        normals=rng.random((6, 3), dtype=np.float32),
        heights=rng.random((6, 1), dtype=np.float32),
        views=np.zeros((2, 3, 4, 4), np.float64),
        gt_label=np.int64(4),
        sample_idx=2,
        sample_id='x/2',
        num_points=9,
        up_axis='z',
        other=1,
    )
    results['points'].flags.writeable = False
    return results


def test_points_and_label():
    results = sample()
    out = PackPointInputs()(results)
    assert list(out) == ['inputs', 'data_samples'] and list(out['inputs']) == ['points']
    assert out['inputs']['points'].dtype == torch.float32
    np.testing.assert_array_equal(out['inputs']['points'], results['points'])
    out['inputs']['points'] += 1  # its own memory
    np.testing.assert_array_equal(results['points'], sample()['points'])
    assert out['data_samples'].gt_label.tolist() == [4]
    assert out['data_samples'].metainfo == dict(
        sample_idx=2, sample_id='x/2', num_points=9, up_axis='z'
    )


def test_features_are_appended_in_order():
    results = sample()
    points = PackPointInputs(features=('heights', 'normals'))(results)['inputs']['points']
    np.testing.assert_array_equal(
        points, np.hstack([results['points'], results['heights'], results['normals']])
    )


def test_other_inputs_become_float32():
    inputs = PackPointInputs(keys=('views',))(sample())['inputs']
    assert inputs['views'].shape == (2, 3, 4, 4) and inputs['views'].dtype == torch.float32


def test_pictures_stay_bytes():
    results = dict(sample(), views=np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4))
    inputs = PackPointInputs(keys=('points', 'views'))(results)['inputs']
    assert inputs['views'].dtype == torch.uint8
    inputs['views'] += 1  # its own memory
    np.testing.assert_array_equal(results['views'].ravel(), np.arange(32))


def test_without_label():
    results = sample()
    del results['gt_label'], results['sample_id']
    packed = PackPointInputs()(results)['data_samples']
    assert 'gt_label' not in packed and 'sample_id' not in packed.metainfo


def test_what_is_missing_is_named():
    with pytest.raises(KeyError, match="no 'points_2'; it has .*normals"):
        PackPointInputs(keys=('points', 'points_2'))(sample())
    with pytest.raises(KeyError, match="no 'rgb'"):
        PackPointInputs(features=('rgb',))(sample())
    with pytest.raises(ValueError, match='keys is empty'):
        PackPointInputs(keys=())


def test_parts_are_labels_of_the_points_in_their_order():
    results = dict(sample(), part_labels=np.array([5, 4, -1, 5, 6, 4], np.int32))
    results['part_labels'].flags.writeable = False
    packed = PackPointInputs(parts=True)(ShufflePoints()(results))
    place = {tuple(p): i for i, p in enumerate(results['points'])}
    order = [place[tuple(p)] for p in packed['inputs']['points'].numpy()]
    parts = packed['data_samples'].gt_parts
    assert parts.dtype == torch.int64
    assert parts.tolist() == results['part_labels'][order].tolist()
    assert order != sorted(order)
    assert 'gt_parts' not in PackPointInputs()(results)['data_samples']
    with pytest.raises(KeyError, match="no 'part_labels'"):
        PackPointInputs(parts=True)(sample())


def test_parts_of_the_whole_cloud_come_with_the_way_back():
    results = dict(sample(), part_labels=np.arange(6))
    step = ScoreEveryPoint(dict(type='FirstPoints', num_points=2))
    packed = PackPointInputs(parts=True)(step(results))
    assert packed['inputs']['points'].shape == (2, 3)
    assert packed['data_samples'].gt_parts.tolist() == list(range(6))
    assert packed['data_samples'].nearest.shape == (6,)
