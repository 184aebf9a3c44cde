import numpy as np
import pytest

from pcdet_kd.datasets.splits import stratified_split

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
