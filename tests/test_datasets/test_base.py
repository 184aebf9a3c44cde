import copy
import pickle
import random

import numpy as np
import pytest
from mmengine.dataset import ClassBalancedDataset

from pcdet_kd.datasets.base import PointCloudDataset, build_transforms
from pcdet_kd.datasets.records import Records
from pcdet_kd.utils.errors import DataError, SampleError


class Toy(PointCloudDataset):
    """40 clouds of 6 points, 4 classes; sample i has all coordinates i."""

    METAINFO = dict(classes=('a', 'b', 'c', 'd'), up_axis='z', task='classification')
    reads = 0

    def __init__(self, **kwargs):
        super().__init__(allow_degenerate=True, **kwargs)

    def load_records(self):
        Toy.reads += 1
        n = 40 if self.official_split == 'train' else 8
        points = np.tile(np.arange(n, dtype=np.float32)[:, None, None], (1, 6, 3))
        return Records(
            points,
            np.arange(n) % 4,
            [f'{self.official_split}/{i}' for i in range(n)],
            dict(mask=np.zeros((n, 6), np.int64)),
            source='toy.h5',
        )


def draw(results):
    return (results['sample_idx'], np.random.rand(), random.random())


def ids(dataset):
    return [info['sample_id'] for info in dataset.data_list]


def test_samples():
    sample = Toy(indices=[5])[0]
    assert (
        sample['points'].shape == (6, 3)
        and sample['points'].dtype == np.float32
        and sample['points'][0, 0] == 5
    )
    assert sample['mask'].shape == (6,)
    rest = {k: v for k, v in sample.items() if k not in ('points', 'mask')}
    assert rest == dict(
        gt_label=1,
        sample_idx=0,
        sample_id='train/5',
        class_name='b',
        official_split='train',
        num_points=6,
        up_axis='z',
    )


def test_arrays_are_read_only_and_held_once():
    dataset = Toy()
    for other in (
        dataset,
        pickle.loads(pickle.dumps(dataset)),
        copy.deepcopy(dataset),
        dataset.get_subset(3),
    ):
        for array in (other[0]['points'], other[0]['mask'], other.records.labels):
            with pytest.raises(ValueError, match='read-only'):
                array += 1
    assert np.shares_memory(dataset[0]['points'], dataset.records.points)
    assert dataset.get_subset(3).records is dataset.records  # no second copy


def test_splits():
    parts = {
        split: ids(Toy(split=split, val_fraction=0.2))
        for split in ('train', 'val', 'trainval', 'test')
    }
    assert len(parts['val']) == 8 and len(parts['train']) == 32 and len(parts['trainval']) == 40
    assert sorted(parts['train'] + parts['val']) == sorted(parts['trainval'])
    assert parts['test'] == [f'test/{i}' for i in range(8)]
    assert np.bincount(Toy(split='val', val_fraction=0.2).labels()).tolist() == [2] * 4
    assert ids(Toy(split='val', val_fraction=0.2, val_seed=1)) != parts['val']
    assert ids(Toy()) == parts['trainval'] and len(Toy(indices=7)) == 7


def test_wrong_arguments():
    for kwargs, message in (
        (dict(split='eval'), "split is 'eval'"),
        (dict(val_fraction=1), 'val_fraction is 1'),
        (dict(split='val'), "split='val' needs val_fraction"),
    ):
        with pytest.raises(ValueError, match=message):
            Toy(**kwargs)


def test_random_numbers_depend_on_seed_epoch_and_sample_only():
    dataset = Toy(pipeline=[draw])
    first = [dataset[i] for i in range(10)]
    np.random.rand(7)
    assert [dataset[i] for i in reversed(range(10))] == first[::-1]
    assert dataset[-1] == dataset[39]  # one sample, one stream, whatever it is called
    assert len({d[1] for d in first}) == len({d[2] for d in first}) == 10
    seen = set(first)
    for seed, epoch in ((0, 1), (1, 0), (1, 1), (2**32 - 1, 0)):
        dataset.set_epoch(epoch, seed)
        assert not seen & set(dataset[i] for i in range(10))
        seen |= {dataset[i] for i in range(10)}
    dataset.set_epoch(0, 0)
    assert [dataset[i] for i in range(10)] == first
    dataset.set_epoch(1)  # keeps the seed
    later = dataset[0]
    dataset.set_epoch(1, 0)
    assert dataset[0] == later != first[0]


def test_subsets_have_their_own_epoch_and_reach_workers():
    dataset = Toy(pipeline=[draw])
    one, two = dataset.get_subset(2), dataset.get_subset(3)
    assert len(one) == 2 and len(two) == 3 and one[0] == dataset[0]
    assert one._metainfo is not two._metainfo  # nothing of the first is left in the second
    one.set_epoch(5)
    assert one[0] != two[0] == dataset[0]
    assert all(d._random_state.is_shared() for d in (dataset, one, two))


def test_metainfo_is_taken_as_it_is(tmp_path, monkeypatch):
    (tmp_path / 'y').write_text('not\nthis')
    monkeypatch.chdir(tmp_path)
    dataset = Toy(metainfo=dict(up_axis='y'))
    assert dataset.metainfo['up_axis'] == 'y' and dataset[0]['up_axis'] == 'y'
    assert dataset.metainfo['classes'] == ('a', 'b', 'c', 'd') and Toy.METAINFO['up_axis'] == 'z'


def test_samples_say_where_their_other_files_are():
    for split, official in (
        ('train', 'train'),
        ('val', 'train'),
        ('trainval', 'train'),
        ('test', 'test'),
    ):
        dataset = Toy(split=split, val_fraction=0.5)
        assert {sample['official_split'] for sample in dataset} == {official}
        assert [sample['class_name'] for sample in dataset] == [
            Toy.METAINFO['classes'][i] for i in dataset.labels()
        ]


def test_a_transform_that_reads_files_counts_in_the_fingerprint():
    class Reads:
        def __init__(self, version):
            self.version = version

        def __call__(self, results):
            return results

        def fingerprint(self, samples):
            return f'{self.version} {[(s["sample_id"], s["class_name"]) for s in samples]}'

    prints = [Toy(pipeline=pipeline).fingerprint() for pipeline in ([], [Reads(1)], [Reads(2)])]
    assert len(set(prints)) == 3 and Toy(pipeline=[Reads(1)]).fingerprint() == prints[1]


def test_faults_name_the_sample_and_the_step():
    def nothing(results):
        return None

    class Fails:
        def __call__(self, results):
            raise KeyError('xyz')

    with pytest.raises(
        SampleError, match=r"Toy \(train\): sample 3 \('train/3'\) failed in Fails: 'xyz'"
    ):
        Toy(pipeline=[Fails()])[3]
    with pytest.raises(SampleError, match=r"function returned nothing for sample 3 \('train/3'\)"):
        Toy(pipeline=[nothing])[3]
    with pytest.raises(SampleError, match='num_points is 7'):
        Toy(pipeline=[dict(type='FirstPoints', num_points=7)])[0]


def test_pipeline_names_need_no_default_scope():
    transforms = build_transforms(
        [dict(type='RandomApply', transforms=[dict(type='UnitBox')]), draw]
    )
    assert [type(t).__name__ for t in transforms] == ['RandomApply', 'function']
    with pytest.raises(KeyError, match='UnitBox'):
        build_transforms([dict(type='UnitBoxx')])


def test_class_balanced_wrapper():
    dataset = Toy()
    assert dataset.get_cat_ids(6) == [2]
    assert len(ClassBalancedDataset(dataset, oversample_thr=0.5)) >= 40


def test_fingerprint():
    reference = Toy().fingerprint()
    assert reference == Toy().fingerprint()

    def changed(name):
        class Changed(Toy):
            def load_records(self):
                records = super().load_records()
                if name == 'labels':
                    records.labels[3] = 2
                elif name == 'ids':
                    records.ids[3] = 'other'
                else:
                    (records.points if name == 'points' else records.extras['mask'])[3, 2] += 1
                return records

        return Changed()

    prints = [changed(name).fingerprint() for name in ('points', 'labels', 'ids', 'mask')]
    assert len({reference, *prints, Toy(indices=39).fingerprint()}) == 6


def test_empty_split():
    with pytest.raises(DataError, match="0 samples in split 'val'"):

        class Single(Toy):
            def load_records(self):
                return Records(
                    np.random.rand(2, 5, 3).astype(np.float32), np.arange(2), ['a', 'b'], source='s'
                )

        Single(split='val', val_fraction=0.5)
