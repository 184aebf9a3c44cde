from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pcdet_kd.datasets import PointCloudFolder, PointMixture, collate_points
from pcdet_kd.datasets.point_mixture import allot
from pcdet_kd.engine.config_check import ConfigError, check_config
from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.testing import check_dataset

SIZES = dict(large=7, small=3)


@pytest.fixture
def parts(tmp_path, clouds):
    out = {}
    for seed, (name, size) in enumerate(SIZES.items()):
        for i, cloud in enumerate(clouds(size, 9, seed=seed)):
            folder = tmp_path / name / 'ab'[i % 2]
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f'{i}.npy', cloud)
        up_axis = 'yz'[seed]
        out[name] = dict(type='PointCloudFolder', data_root=str(tmp_path / name), up_axis=up_axis)
    return out


def ids(data):
    return [data[i]['sample_id'] for i in range(len(data))]


def test_every_cloud_once_without_labels_and_z_up(parts):
    data = PointMixture(parts)
    assert len(data) == 10 and ids(data)[0] == 'large/a/0.npy' and ids(data)[9] == 'small/b/1.npy'
    assert len(set(ids(data))) == 10
    for i in range(10):
        sample = data[i]
        assert not {'gt_label', 'class_name'} & set(sample)
        name, _, rest = sample['sample_id'].partition('/')
        assert sample['part'] == name and sample['up_axis'] == 'z' and sample['sample_idx'] == i
        stored = np.load(f'{parts[name]["data_root"]}/{rest}')
        np.testing.assert_array_equal(
            sample['points'], stored if name == 'small' else stored[:, [2, 0, 1]]
        )
    assert data[-1]['sample_id'] == 'small/b/1.npy' and data[-1]['sample_idx'] == 9
    with pytest.raises(ValueError, match='no labels'):
        data.labels()


def test_contract(parts):
    check_dataset(dict(type='PointMixture', parts=parts, pipeline=[dict(type='RandomJitter')]))


def test_shares():
    assert allot([7, 3], 10) == [7, 3] and allot([1, 1, 1], 10) == [4, 3, 3]
    assert allot([0.2, 0.3, 0.5], 11) == [2, 3, 6] and allot([1e-9, 1], 5) == [0, 5]
    rng = np.random.default_rng(0)
    for _ in range(50):
        weights, total = rng.random(5), int(rng.integers(1, 1000))
        counts = np.array(allot(weights, total))
        assert counts.sum() == total
        assert np.abs(counts - weights / weights.sum() * total).max() < 1


def test_weights_repeat_a_small_part_and_subsample_a_large_one(parts):
    data = PointMixture(parts, weights=dict(large=1, small=2), num_samples=12)
    assert data.counts == [4, 8]
    chosen = []
    for epoch in range(6):
        data.set_epoch(epoch, 0)
        found = ids(data)
        large, small = Counter(found[:4]), Counter(found[4:])
        assert set(large.values()) == {1} and len(large) == 4
        assert sorted(small.values()) == [2, 3, 3]  # twice all three, and two of them once more
        chosen.append((frozenset(large), frozenset(k for k, v in small.items() if v == 3)))
        assert ids(data) == found
    assert len({large for large, _ in chosen}) > 2 and len({extra for _, extra in chosen}) > 1
    data.set_epoch(0, 1)
    other = ids(data)
    data.set_epoch(0, 0)
    assert ids(data) != other
    again = PointMixture(parts, weights=dict(small=2, large=1), num_samples=12)
    assert ids(again) == ids(data)


def test_the_epoch_reaches_the_parts_and_running_workers(parts):
    pipeline = [dict(type='RandomJitter'), dict(type='PackPointInputs')]
    data = PointMixture(parts, weights=dict(large=1, small=2), num_samples=12, pipeline=pipeline)
    assert list(leaf_datasets(data)) == [data]

    def epochs(workers):
        options = dict(num_workers=workers, persistent_workers=workers > 0)
        loader = DataLoader(data, 4, collate_fn=collate_points, **options)
        out = []
        for epoch in (0, 1):
            data.set_epoch(epoch, 5)
            batches = list(loader)
            names = [s.sample_id for b in batches for s in b['data_samples']]
            assert 'gt_label' not in batches[0]['data_samples'][0]
            out.append((names, torch.cat([b['inputs']['points'] for b in batches])))
        return out

    expected, found = epochs(0), epochs(2)
    assert expected[0][0] != expected[1][0]
    for (names, points), (other_names, other_points) in zip(expected, found):
        assert names == other_names and torch.equal(points, other_points)
    assert all(part._random_state.tolist() == [5, 1] for part in data.parts)
    points = expected[0][1]  # a cloud that occurs twice is augmented twice
    assert len({cloud.numpy().tobytes() for cloud in points}) == 12


def test_split_and_built_parts(parts):
    small = PointCloudFolder(parts['small']['data_root'], 'z', split='train', val_fraction=0.4)
    large = dict(parts['large'], split='val', val_fraction=0.5)
    data = PointMixture(dict(large=large, small=small), split='trainval')
    assert [part.split for part in data.parts] == ['val', 'train'] and data.parts[1] is small
    assert len(PointMixture(parts, indices=4)) == 4


def test_fingerprint_follows_the_data_and_the_shares(parts, clouds):
    one = PointMixture(parts).fingerprint()
    assert PointMixture(parts).fingerprint() == one
    assert PointMixture(parts, num_samples=9).fingerprint() != one
    assert PointMixture(parts, up_axis='y').fingerprint() != one
    np.save(f'{parts["small"]["data_root"]}/a/0.npy', clouds(1, 9, seed=9)[0])
    assert PointMixture(parts).fingerprint() != one


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(weights=dict(large=1, smal=1)), "'smal'.*Did you mean 'small'"),
        (dict(weights=dict(large=1)), "weight of 'small' is None"),
        (dict(weights=dict(large=1, small=0)), "weight of 'small' is 0"),
        (dict(num_samples=0), 'num_samples is 0'),
        (dict(up_axis='up'), 'up_axis is'),
        (dict(parts={}), 'parts is empty'),
        (dict(parts={'a/b': dict(type='SyntheticScans')}), "must not have a '/'"),
        (dict(parts=dict(a=3)), 'must be a PointCloudDataset'),
    ],
)
def test_arguments_are_checked(parts, changes, message):
    with pytest.raises(ValueError, match=message):
        PointMixture(**{'parts': parts, **changes})


def test_parts_have_no_pipeline(parts):
    part = dict(parts['small'], pipeline=[dict(type='ShufflePoints')])
    with pytest.raises(ValueError, match="part 'small' has a pipeline"):
        PointMixture(dict(small=part))


def test_a_misspelt_argument_of_a_part_is_found_in_the_config(parts):
    parts['small']['up_axes'] = 'z'
    loader = dict(batch_size=1, num_workers=0, dataset=dict(type='PointMixture', parts=parts))
    with pytest.raises(ConfigError, match=r'parts\.small.*up_axes'):
        check_config(dict(train_dataloader=loader))
