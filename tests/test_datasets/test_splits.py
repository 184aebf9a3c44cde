import numpy as np
import pytest

from pcdet_kd.datasets.splits import few_shot_fold, stratified_split

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(5), [100, 33, 7, 2, 1]))


@pytest.mark.parametrize('fraction', [0.0, 0.1, 0.2, 0.5, 0.99])
def test_every_index_once(fraction):
    first, second = stratified_split(LABELS, fraction, 0)
    assert sorted([*first, *second]) == list(range(len(LABELS)))
    assert (np.diff(first) > 0).all() and (np.diff(second) > 0).all()


def test_share_of_each_class():
    counts = np.bincount(LABELS[stratified_split(LABELS, 0.2, 0)[1]], minlength=5)
    assert counts.tolist() == [
        20,
        7,
        1,
        1,
        0,
    ]  # at least one where there are two; the only sample of a class stays
    counts = np.bincount(LABELS[stratified_split(LABELS, 0.99, 0)[1]], minlength=5)
    assert counts.tolist() == [99, 32, 6, 1, 0]  # never all
    assert len(stratified_split(LABELS, 0, 0)[1]) == 0


def test_seed():
    one, same, other = (stratified_split(LABELS, 0.2, seed)[1].tolist() for seed in (0, 0, 1))
    assert one == same != other


def test_a_class_does_not_depend_on_the_others():
    only = np.where(LABELS == 1, 1, 0)
    chosen = [i for i in stratified_split(LABELS, 0.2, 3)[1] if LABELS[i] == 1]
    assert [i for i in stratified_split(only, 0.2, 3)[1] if only[i] == 1] == chosen


def test_known_split():
    # the recipes' validation samples: a change here changes every published figure
    assert stratified_split(np.arange(20) % 2, 0.3, 0)[1].tolist() == [3, 4, 7, 8, 12, 19]


def test_a_few_shot_task():
    test = np.repeat(np.arange(5), 9)
    task = few_shot_fold(LABELS, test, shot=3, way=3, test_per_class=4, seed=1, fold=2)
    again = few_shot_fold(LABELS, test, shot=3, way=3, test_per_class=4, seed=1, fold=2)
    assert all(np.array_equal(a, b) for a, b in zip(task, again))
    assert set(task.classes) == {0, 1, 2}, 'the others have 2 and 1'
    assert LABELS[task.train].tolist() == np.repeat(task.classes, 3).tolist()
    assert test[task.test].tolist() == np.repeat(task.classes, 4).tolist()
    assert len(set(task.train)) == 9 and len(set(task.test)) == 12
    others = [few_shot_fold(LABELS, test, 3, 3, 4, 1, fold) for fold in range(9)]
    assert len({tuple(sorted(other.train)) for other in others}) == 9
    assert len({tuple(other.classes) for other in others}) > 1


def test_few_shots_of_all_classes():
    rest = few_shot_fold(LABELS, None, shot=2)
    assert rest.classes.tolist() == [0, 1, 2], 'class 3 would have none left to test'
    assert sorted([*rest.train, *rest.test]) == np.flatnonzero(LABELS < 3).tolist()
    some = few_shot_fold(LABELS, None, shot=2, test_per_class=5)
    assert LABELS[some.test].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert not set(some.train) & set(some.test)
    whole = few_shot_fold(LABELS, np.array([3, 3, 0]), shot=2)
    assert whole.classes.tolist() == [0, 3] and whole.test.tolist() == [2, 0, 1]
    with pytest.raises(ValueError, match='3 classes have 7 training and 1 test samples, 4 are'):
        few_shot_fold(LABELS, LABELS, shot=7, way=4)
