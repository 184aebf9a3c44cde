"""Samples in worker processes."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pcdet_kd.datasets import PointCloudFolder, collate_points
from pcdet_kd.utils.errors import SampleError

PIPELINE = [
    dict(type='RandomPoints', num_points=6),
    dict(type='RandomRotate'),
    dict(type='RandomJitter'),
    dict(type='PackPointInputs'),
]


@pytest.fixture
def dataset(tmp_path, clouds):
    for i, cloud in enumerate(clouds(12, 9)):
        folder = tmp_path / 'ab'[i % 2]
        folder.mkdir(exist_ok=True)
        np.save(folder / f'{i:02d}.npy', cloud)
    return PointCloudFolder(str(tmp_path), 'y', pipeline=PIPELINE)


def epochs(dataset, num_workers, method=None, seeds=((0, 0), (1, 0), (0, 7))):
    persistent = num_workers > 0
    loader = DataLoader(
        dataset,
        batch_size=4,
        num_workers=num_workers,
        collate_fn=collate_points,
        persistent_workers=persistent,
        multiprocessing_context=method,
    )
    out = []
    for epoch, seed in seeds:
        dataset.set_epoch(epoch, seed)  # after the workers have started, from the second round on
        batches = list(loader)
        assert [s.sample_idx for b in batches for s in b['data_samples']] == list(range(12))
        out.append(torch.cat([b['inputs']['points'] for b in batches]))
    return torch.stack(out)


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_same_samples_as_in_the_main_process(dataset, method):
    expected = epochs(dataset, 0)
    assert (
        len({cloud.numpy().tobytes() for epoch in expected for cloud in epoch}) == 36
    )  # never the same draw twice
    assert torch.equal(epochs(dataset, 2, method), expected)


def test_draws_do_not_depend_on_the_global_state(dataset):
    expected = epochs(dataset, 0)
    np.random.seed(1)
    torch.manual_seed(1)
    assert torch.equal(epochs(dataset, 0), expected)


def test_main_process_draws_of_torch_are_left_alone(dataset):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    dataset[0]
    assert torch.equal(torch.rand(2), expected)


def test_an_error_in_a_worker_names_the_sample(dataset):
    dataset.pipeline.transforms[0].num_points = 10
    loader = DataLoader(dataset, batch_size=4, num_workers=1, collate_fn=collate_points)
    with pytest.raises(
        SampleError, match=r"sample 0 \('a/00.npy'\) failed in RandomPoints: the cloud has 9 points"
    ):
        next(iter(loader))
