import copy

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pcdet_kd.datasets import PointMixture, PointStore, collate_points, device_dataset
from pcdet_kd.datasets.device_dataset import DeviceDataset, as_it_is
from pcdet_kd.registry import DATASETS

RANDOM = [
    dict(type='RandomPoints', num_points=8),
    dict(type='RandomRotate'),
    dict(type='RandomJitter'),
    dict(type='PackPointInputs'),
]


def build(pipeline=RANDOM, **kwargs):
    return DATASETS.build(dict(type='TinyClouds', pipeline=pipeline, **kwargs))


def epoch_of(dataset, order, batch_size=5):
    loader = DataLoader(dataset, batch_size=batch_size, sampler=order, collate_fn=as_it_is)
    batches = list(loader)
    points = torch.cat([b['inputs']['points'] for b in batches])
    return {
        s.sample_idx: p for s, p in zip([s for b in batches for s in b['data_samples']], points)
    }


def test_batches_are_those_of_the_data_set():
    pipeline = [
        dict(type='FirstPoints', num_points=12),
        dict(type='UnitSphere'),
        dict(type='ConvertUpAxis', to='z'),
        dict(type='PackPointInputs'),
    ]
    dataset = build(pipeline, val_fraction=0.25, indices=10)
    moved = DeviceDataset(dataset, 'cpu')
    batch, expected = moved.__getitems__([7, 0, 3]), collate_points([dataset[i] for i in (7, 0, 3)])
    assert torch.allclose(batch['inputs']['points'], expected['inputs']['points'], atol=1e-6)
    assert set(batch['inputs']) == set(expected['inputs']) and len(moved) == 10
    for ours, theirs in zip(batch['data_samples'], expected['data_samples']):
        assert ours.metainfo == theirs.metainfo and torch.equal(ours.gt_label, theirs.gt_label)
    one = moved[3]
    assert (
        torch.equal(one['inputs']['points'], batch['inputs']['points'][2])
        and one['data_samples'].sample_idx == 3
    )
    with pytest.raises(IndexError):
        moved[10]


def test_draws_follow_from_seed_epoch_and_sample():
    dataset = build()
    moved = DeviceDataset(dataset, 'cpu')
    dataset.set_epoch(2, seed=5)
    first = epoch_of(moved, range(24))
    again = epoch_of(moved, list(reversed(range(24))), batch_size=7)
    assert all(torch.allclose(first[i], again[i], atol=1e-6) for i in range(24))
    dataset.set_epoch(3)
    assert not any(torch.allclose(first[i], p) for i, p in epoch_of(moved, range(24)).items())
    dataset.set_epoch(2, seed=6)
    assert not any(torch.allclose(first[i], p) for i, p in epoch_of(moved, range(24)).items())
    state = torch.get_rng_state(), np.random.get_state()[1].tolist()
    moved.__getitems__(range(24))
    assert (
        torch.equal(torch.get_rng_state(), state[0])
        and np.random.get_state()[1].tolist() == state[1]
    )


def test_one_copy_on_the_device():
    dataset = build()
    moved = DeviceDataset(dataset, 'cpu')
    assert copy.deepcopy(dict(dataset=moved))['dataset'] is moved
    assert moved.metainfo == dataset.metainfo
    assert moved.__getitems__([1])['data_samples'][0] is moved.__getitems__([1])['data_samples'][0]
    before = moved.tensors['points'].clone()
    moved.__getitems__(range(24))['inputs']['points'].zero_()
    plain = DeviceDataset(build([dict(type='PackPointInputs')]), 'cpu')
    kept = plain.tensors['points'].clone()
    plain.__getitems__(range(24))['inputs']['points'].zero_()
    assert torch.equal(moved.tensors['points'], before) and torch.equal(
        plain.tensors['points'], kept
    )


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (lambda: DeviceDataset(build(RANDOM[:-1]), 'cpu'), 'must end in PackPointInputs'),
        (
            lambda: DeviceDataset(build([lambda sample: sample, *RANDOM]), 'cpu'),
            'function has no batched form',
        ),
        (
            lambda: DeviceDataset(torch.utils.data.ConcatDataset([build()]), 'cpu'),
            'needs a PointCloudDataset, not a ConcatDataset',
        ),
        (
            lambda: DeviceDataset(build(), 'nonsense'),
            "device='nonsense' of the data loader cannot be used",
        ),
    ],
)
def test_what_cannot_be_done_is_an_error(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_a_missing_gpu_is_an_error():
    with pytest.raises(ValueError, match="device='cuda' of the data loader cannot be used"):
        DeviceDataset(build(), 'cuda')


def test_clouds_of_unequal_size_are_an_error():
    dataset = build()
    dataset.records.points = [p[: 16 - i % 2] for i, p in enumerate(dataset.records.points)]
    with pytest.raises(
        ValueError, match='have 15 to 16 points; on a device all need the same number'
    ):
        DeviceDataset(dataset, 'cpu')


def test_a_store_without_labels_is_copied_some_rows_at_a_time(make_store, monkeypatch):
    monkeypatch.setattr(device_dataset, '_ROWS', 3)
    root, clouds = make_store(sizes=[16] * 8, clouds_per_shard=5)
    pack = [dict(type='PackPointInputs')]
    moved = DeviceDataset(PointStore(str(root), pipeline=pack), 'cpu')
    batch = moved.__getitems__([7, 0, 3])
    np.testing.assert_array_equal(batch['inputs']['points'], [clouds[i] for i in (7, 0, 3)])
    assert [s.sample_id for s in batch['data_samples']] == ['a/7.npy', 'a/0.npy', 'a/3.npy']
    assert 'gt_label' not in batch['data_samples'][0]
    root, _ = make_store(sizes=[16] * 7 + [17], name='uneven')
    with pytest.raises(ValueError, match='have 16 to 17 points'):
        DeviceDataset(PointStore(str(root), pipeline=pack), 'cpu')


def test_a_mixture_has_no_arrays(make_store):
    root, _ = make_store(sizes=[16] * 3)
    parts = dict(a=dict(type='PointStore', data_root=str(root)))
    mixture = PointMixture(parts, pipeline=[dict(type='PackPointInputs')])
    with pytest.raises(ValueError, match='a PointMixture has no arrays.*pcdet-kd pack'):
        DeviceDataset(mixture, 'cpu')
