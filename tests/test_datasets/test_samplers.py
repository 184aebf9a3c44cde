import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from torch.utils.data import ConcatDataset

from pcdet_kd.datasets import PointCloudDataset, Records, SameSizeBatchSampler
from pcdet_kd.datasets.samplers import LabelledShareSampler, labelled_samples
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


class Few:
    """Samples of which every fifth has a label."""

    def __init__(self, size=50, every=5):
        self.size, self.every = size, every

    def __len__(self):
        return self.size

    def labelled(self):
        return np.arange(self.size) % self.every == 0


def test_every_batch_has_its_share_of_labels_and_all_come_equally_often():
    sampler = LabelledShareSampler(Few(), 8, 0.5, seed=3)
    seen = np.zeros(50, int)
    for epoch in range(50):
        sampler.set_epoch(epoch)
        order = list(sampler)
        assert len(order) == len(sampler) == 56  # as many batches as 50 clouds make
        assert all(np.sum(Few().labelled()[order[i : i + 8]]) == 4 for i in range(0, 56, 8))
        np.add.at(seen, order, 1)
    assert set(seen[Few().labelled()]) == {140} and set(seen[~Few().labelled()]) == {35}
    again = LabelledShareSampler(Few(), 8, 0.5, seed=3)
    again.set_epoch(49)
    assert list(again) == order  # resumed in this epoch
    assert list(LabelledShareSampler(Few(), 8, 0.5, seed=4)) != order


def test_a_share_of_one_draws_labelled_samples_only_with_as_many_steps():
    sampler = LabelledShareSampler(Few(), 8, 1.0, seed=0)
    assert len(sampler) == 56 and Few().labelled()[list(sampler)].all()
    all_known = LabelledShareSampler(Few(every=1), 8, 0.25, seed=0)
    assert sorted(set(all_known)) == list(range(50))
    assert [LabelledShareSampler(Few(), 8, s, seed=0).counts[0] for s in (0.01, 0.99)] == [1, 7]


def test_processes_draw_different_samples(monkeypatch):
    parts = []
    for rank in (0, 1):
        monkeypatch.setattr('pcdet_kd.datasets.samplers.get_dist_info', lambda rank=rank: (rank, 2))
        parts.append(list(LabelledShareSampler(Few(), 4, 0.5, seed=0)))
    assert len(parts[0]) == len(parts[1]) == 28
    labelled = Few().labelled()
    drawn = [i for step in range(7) for p in parts for i in p[4 * step : 4 * step + 4]]
    known = [i for i in drawn if labelled[i]]
    assert len(set(known[:10])) == 10  # one pass over the labels before the next begins


def test_what_says_nothing_of_labels_is_refused():
    assert (
        labelled_samples(ConcatDataset([Few(6, 2), Few(2, 1)])).tolist()
        == [True, False] * 3 + [True] * 2
    )
    with pytest.raises(ValueError, match='list does not say which samples'):
        LabelledShareSampler([1, 2], 2)
    with pytest.raises(ValueError, match='none of the 5 training samples has a label'):
        LabelledShareSampler(type('No', (Few,), dict(labelled=lambda s: np.zeros(5, bool)))(5), 2)
    with pytest.raises(ValueError, match='share is 0'):
        LabelledShareSampler(Few(), 2, 0)
    with pytest.raises(ValueError, match='batch_size is 1'):
        LabelledShareSampler(Few(), 1, 0.5)
