import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pcdet_kd.datasets import PointMixture, PointStore, collate_points
from pcdet_kd.datasets.read_once import noting_files, reading_once
from pcdet_kd.testing import check_dataset
from pcdet_kd.utils.errors import DataError

LABELS = [0, 1, 0, 1, 2, 0, 1, 0]


def test_samples(make_store):
    root, clouds = make_store(sizes=range(3, 11), labels=LABELS, clouds_per_shard=3)
    data = PointStore(str(root))
    assert len(data) == 8 and data.metainfo['classes'] == ('one', 'two', 'three')
    for i, sample in enumerate(data[i] for i in range(8)):
        np.testing.assert_array_equal(sample['points'], clouds[i])
        assert (sample['sample_id'], sample['gt_label']) == (f'a/{i}.npy', LABELS[i])
        assert sample['class_name'] == ('one', 'two', 'three')[LABELS[i]]
        assert (sample['num_points'], sample['up_axis']) == (i + 3, 'y')
    assert data.labels().tolist() == LABELS
    assert PointStore.class_names(dict(data_root=str(root))) == ('one', 'two', 'three')
    assert PointStore.class_names(dict(data_root='nowhere')) is None


def test_contract(make_store):
    pipeline = [dict(type='RandomJitter')]
    root, _ = make_store(sizes=(4, 5, 6), labels=[0, 1, 2])
    check_dataset(dict(type='PointStore', data_root=str(root), pipeline=pipeline))
    root, _ = make_store(sizes=(4, 5, 6), name='unlabelled', dtype='int16')
    check_dataset(dict(type='PointStore', data_root=str(root), pipeline=pipeline))


def test_without_labels(make_store):
    root, _ = make_store(sizes=(4, 5))
    data = PointStore(str(root))
    assert not {'gt_label', 'class_name'} & set(data[0])
    assert PointStore.class_names(dict(data_root=str(root))) is None
    with pytest.raises(ValueError, match='without a label'):
        data.labels()


@pytest.mark.parametrize('labels', [LABELS, None])
def test_parts_and_subsets(make_store, labels):
    root, clouds = make_store(sizes=range(3, 11), labels=labels)
    train, val = (PointStore(str(root), s, val_fraction=0.4) for s in ('train', 'val'))
    ids = [[data[i]['sample_id'] for i in range(len(data))] for data in (train, val)]
    assert len(ids[1]) in (3, 4) and sorted(ids[0] + ids[1]) == [f'a/{i}.npy' for i in range(8)]
    if labels:
        assert sorted([*train.labels(), *val.labels()]) == sorted(LABELS)
        assert set(val.labels()) == {0, 1}  # of a class of one, the one trains
    few = PointStore(str(root), indices=2)
    assert len(few) == 2
    np.testing.assert_array_equal(few[1]['points'], clouds[1])
    some = PointStore(str(root)).get_subset([5, 1])
    np.testing.assert_array_equal(some[0]['points'], clouds[5])


def test_workers(make_store):
    root, _ = make_store(sizes=[6] * 8, clouds_per_shard=3)
    pipeline = [dict(type='RandomJitter'), dict(type='PackPointInputs')]
    data = PointStore(str(root), pipeline=pipeline)

    def points(**options):
        loader = DataLoader(data, 2, collate_fn=collate_points, **options)
        return torch.cat([batch['inputs']['points'] for batch in loader])

    expected = points()
    for method, workers in (('fork', 2), ('spawn', 1)):  # by spawn, a worker imports the package
        found = points(num_workers=workers, multiprocessing_context=method)
        assert torch.equal(found, expected)


def test_fingerprint_without_reading_the_points(make_store, monkeypatch):
    root, _ = make_store(sizes=(4, 5, 6))
    one = PointStore(str(root))
    monkeypatch.setattr(type(one.records), '__getitem__', None)
    assert one.fingerprint() == PointStore(str(root)).fingerprint()
    assert one.fingerprint() != PointStore(str(root), indices=2).fingerprint()
    monkeypatch.undo()
    for changes in (dict(sizes=(4, 5, 7)), dict(labels=[0, 1, 1]), dict(dtype='int16')):
        other, _ = make_store(name='x'.join(changes), **{'sizes': (4, 5, 6), **changes})
        assert PointStore(str(other)).fingerprint() != one.fingerprint()


def test_the_file_that_it_depends_on_is_noted_and_it_is_opened_once(make_store):
    root, _ = make_store(sizes=(4, 5))
    with noting_files() as files, reading_once():
        one, two = PointStore(str(root)), PointStore(str(root), indices=1)
    assert one.records is two.records and str(root / 'store.json') in files


def test_part_of_a_mixture(make_store):
    root, clouds = make_store(sizes=(4, 5, 6), dtype='float16')
    data = PointMixture(dict(store=dict(type='PointStore', data_root=str(root))))
    assert data[2]['sample_id'] == 'store/a/2.npy' and data[2]['up_axis'] == 'z'
    np.testing.assert_allclose(data[2]['points'], clouds[2][:, [2, 0, 1]], atol=1e-3)


def test_faults(make_store):
    root, _ = make_store(sizes=(4, 5))
    with pytest.raises(ValueError, match="split is 'test'"):
        PointStore(str(root), split='test')
    with pytest.raises(ValueError, match='allow_degenerate'):
        PointStore(str(root), allow_degenerate=True)
    (root / 'store.json').unlink()
    (root / 'shards/00000.json').unlink()
    with pytest.raises(DataError, match=r'(?s)1 of 1 shards are missing.*make-it'):
        PointStore(str(root))
