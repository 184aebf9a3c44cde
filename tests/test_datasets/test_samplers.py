import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler

from pcdet_kd.datasets import PointCloudDataset, Records, SameSizeBatchSampler
from pcdet_kd.engine.dataloader import build_dataloader
from pcdet_kd.registry import DATA_SAMPLERS

SIZES = [5, 3, 5, 5, 3, 8, 5, 3, 5, 5]


class Ragged(PointCloudDataset):
    """Clouds of unequal size; x is the number of the cloud, y that of the point."""

    METAINFO = dict(classes=('a', 'b'), up_axis='y', task='classification')

    def load_records(self):
        clouds = [np.float32([(i, j, 0) for j in range(n)]) for i, n in enumerate(SIZES)]
        labels = np.arange(len(SIZES)) % 2
        return Records(clouds, labels, [f'test/{i}' for i in range(len(SIZES))])


@pytest.fixture
def dataset():
    return Ragged(split='test', pipeline=[dict(type='PackPointInputs')])


def loader(dataset, **options):
    sampler = dict(type='DefaultSampler', shuffle=False)
    return build_dataloader(
        dict(
            dataset=dataset,
            sampler=sampler,
            batch_size=3,
            collate_fn=dict(type='collate_points'),
            **options,
        ),
        seed=0,
    )


def test_every_cloud_once_in_batches_of_one_size(dataset):
    given = loader(dataset, batch_sampler=dict(type='SameSizeBatchSampler'))
    batches = [batch['inputs']['points'] for batch in given]
    assert len(given) == len(batches) == 4
    assert [tuple(b.shape[:2]) for b in batches] == [(3, 5), (3, 3), (3, 5), (1, 8)]
    assert sorted(i for b in batches for i in b[:, 0, 0].tolist()) == list(range(10))
    with pytest.raises(ValueError, match='SameSizeBatchSampler'):
        list(loader(dataset))


def test_incomplete_batches_may_be_left_out(dataset):
    given = loader(dataset, batch_sampler=dict(type='SameSizeBatchSampler', drop_last=True))
    assert len(given) == 3 and [len(batch['data_samples']) for batch in given] == [3, 3, 3]


def test_clouds_of_one_size_come_in_the_plain_batches():
    same = Ragged(split='test', indices=[0, 2, 3, 6, 8, 9])
    sampler = DefaultSampler(same, shuffle=True, seed=4)
    plain = torch.utils.data.BatchSampler(sampler, 4, False)
    assert list(SameSizeBatchSampler(sampler, 4)) == list(plain)


def test_processes_share_the_samples_out(dataset, monkeypatch):
    found = []
    for rank in (0, 1):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, 2))
        batches = list(SameSizeBatchSampler(DefaultSampler(dataset, False), 2))
        assert all(len({SIZES[i] for i in batch}) == 1 for batch in batches)
        found += [i for batch in batches for i in batch]
    assert sorted(found) == list(range(10))


def test_registered():
    assert DATA_SAMPLERS.get('SameSizeBatchSampler') is SameSizeBatchSampler
