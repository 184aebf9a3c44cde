import numpy as np
import pytest

from pcdet_kd.datasets import PointCloudDataset, Records
from pcdet_kd.datasets.device_dataset import DeviceDataset
from pcdet_kd.datasets.few_labels import choose, stratified_order
from pcdet_kd.datasets.read_once import reading_once
from pcdet_kd.utils.errors import DataError

LABELS = np.repeat([0, 1, 2, 3], [40, 25, 10, 5])


class Toy(PointCloudDataset):
    """80 clouds of 4 classes; y up."""

    METAINFO = dict(classes=('a', 'b', 'c', 'd'), up_axis='y', task='classification')

    def load_records(self):
        points = np.random.default_rng(0).normal(size=(80, 5, 3)).astype(np.float32)
        extras = dict(mask=np.zeros((80, 5), np.int64), normals=points * 2)
        ids = [f'shape/{i}' for i in range(80)]
        return Records(points, LABELS.copy(), ids, extras, source='toy.h5')


class Other(Toy):
    """7 larger clouds; z up."""

    METAINFO = dict(classes=('x',), up_axis='z', task='classification')

    def load_records(self):
        points = [np.eye(3, dtype=np.float32).repeat(3, 0) + i for i in range(7)]
        ids = [f'{i}.ply' for i in range(7)]
        normals = dict(normals=[p * 3 for p in points])
        return Records(points, np.zeros(7, int), ids, normals, source='scans')


def test_beginnings_of_the_order_are_stratified_and_nested():
    order = stratified_order(LABELS, 0)
    assert sorted(order) == list(range(80))
    for count in range(4, 81):
        shares = np.bincount(LABELS[order[:count]], minlength=4)
        expected = np.array([40, 25, 10, 5]) / 80 * count
        assert (shares >= 1).all() and np.abs(shares - expected)[expected >= 1].max() <= 1.5
    assert (stratified_order(LABELS, 1) != order).any()
    twins = stratified_order(np.repeat([0, 1], 20), 0)  # of one size, in orders of their own
    assert (twins[twins < 20] != twins[twins >= 20] - 20).any()
    longer = np.concatenate([LABELS, np.full(9, 4)])  # a new class changes no other one's order
    assert [i for i in stratified_order(longer, 0) if LABELS[i % 80] == 2 and i < 80] == [
        i for i in order if LABELS[i] == 2
    ]


def test_numbers_shares_and_files(tmp_path):
    ids = [f'shape/{i}' for i in range(80)]
    assert len(choose('labels', 0.25, LABELS, ids, 0)) == 20
    assert len(choose('labels', 0.01, LABELS, ids, 0)) == 4  # one of each class
    assert (
        len(choose('labels', 1.0, LABELS, ids, 0)) == len(choose('n', None, LABELS, ids, 0)) == 80
    )
    assert choose('labels', 0, LABELS, ids, 0).tolist() == []
    file = tmp_path / 'few.txt'
    file.write_text('shape/7\nshape/3\n\n')
    assert choose('labels', str(file), LABELS, ids, 0).tolist() == [3, 7]
    file.write_text('shape/7\nshape/99\n')
    with pytest.raises(DataError, match="1 names that the split does not have, 'shape/99'"):
        choose('labels', str(file), LABELS, ids, 0)
    for wrong in (81, -1, 1.5, 0.0, True, [1]):
        with pytest.raises(ValueError, match='labels is'):
            choose('labels', wrong, LABELS, ids, 0)


def known(dataset):
    return {info['sample_id'] for info in dataset.data_list if 'gt_label' in info}


def test_a_data_set_hides_labels():
    dataset = Toy(labels=8)
    assert len(dataset) == 80 and dataset.labelled().sum() == 8
    hidden = dataset[int(np.flatnonzero(~dataset.labelled())[0])]
    assert 'gt_label' not in hidden and 'class_name' not in hidden and 'points' in hidden
    assert known(dataset) < known(Toy(labels=20)) < known(Toy(labels=0.5))
    assert known(dataset) != known(Toy(labels=8, subset_seed=1))
    with pytest.raises(ValueError, match='72 of 80 samples of Toy have no labels'):
        dataset.labels()
    assert dataset.fingerprint() != Toy().fingerprint()
    assert not Toy(labels=0).labelled().any()


def test_labels_are_chosen_within_the_subset():
    few = Toy(subset=20, labels=8)
    assert len(few) == 20 and len(known(few)) == 8
    assert known(Toy(subset=8)) <= known(Toy(subset=20))
    held = Toy(split='train', val_fraction=0.25, subset=0.5)
    names = {info['sample_id'] for info in Toy(split='val', val_fraction=0.25).data_list}
    assert len(held) == 30 and not known(held) & names


def test_clouds_of_another_data_set():
    with reading_once():
        plain, both = Toy(labels=8), Toy(labels=8, unlabelled=dict(type=Other))
    assert len(both) == 87 and both.labelled().sum() == 8
    last = both[86]
    assert last['sample_id'] == 'unlabelled/6.ply' and last['up_axis'] == 'z'
    assert last['num_points'] == 9 and 'gt_label' not in last
    assert 'mask' not in last and np.array_equal(last['normals'], last['points'] * 3)
    assert both[0]['up_axis'] == 'y'
    assert np.shares_memory(both[0]['points'], plain[0]['points'])  # nothing is copied
    assert both.fingerprint() != plain.fingerprint()
    with pytest.raises(ValueError, match='unlabelled has a pipeline'):
        Toy(unlabelled=dict(type=Other, pipeline=[dict(type='UnitSphere')]))


def test_another_up_axis_must_be_turned():
    pipeline = [dict(type='UnitSphere')]
    with pytest.raises(ValueError, match="clouds have z up, those of Toy y. Begin .*to='y'"):
        Toy(labels=8, unlabelled=dict(type=Other), pipeline=pipeline)
    turned = [dict(type='ConvertUpAxis', to='y'), *pipeline]
    assert Toy(labels=8, unlabelled=dict(type=Other), pipeline=turned)[86]['up_axis'] == 'y'


def test_a_device_needs_one_up_axis():
    pipeline = [dict(type='RandomPoints', num_points=5), dict(type='PackPointInputs')]
    turned = [dict(type='ConvertUpAxis', to='y'), *pipeline]
    both = Toy(labels=8, unlabelled=dict(type=Other), pipeline=turned)
    with pytest.raises(ValueError, match='have the up axes y, z'):
        DeviceDataset(both, 'cpu')
    assert DeviceDataset(Toy(labels=8, pipeline=pipeline), 'cpu').labelled().sum() == 8
