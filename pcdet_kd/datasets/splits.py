"""Seeded, class-stratified splits, and few-shot tasks."""

from typing import NamedTuple

import numpy as np


def stratified_split(
    labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split sample indices per class.

    Args:
        labels: (n,) class of each sample.
        fraction: Part of each class that goes to the second set, rounded to the nearest number, but
            at least one sample of every class that has two or more.
        seed: The choice within a class depends only on this, on the class and on the number of its
            samples.

    Returns:
        Two sorted index arrays that together hold every index once.
    """
    held = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = min(max(round(fraction * len(members)), 1), len(members) - 1) if fraction else 0
        held.append(np.random.default_rng([seed, int(label)]).permutation(members)[:count])
    second = np.sort(np.concatenate(held)) if held else np.empty(0, np.int64)
    return np.setdiff1d(np.arange(len(labels)), second), second


class Fold(NamedTuple):
    """One few-shot task.

    Attributes:
        classes: The classes by number, drawn or ascending.
        train: Indices of ``shot`` samples of each class, in the order of ``classes``.
        test: Indices of the test samples, in the same order of classes.
    """

    classes: np.ndarray
    train: np.ndarray
    test: np.ndarray


def few_shot_fold(
    train_labels: np.ndarray,
    test_labels: np.ndarray | None,
    shot: int,
    way: int | None = None,
    test_per_class: int | None = None,
    seed: int = 0,
    fold: int = 0,
) -> Fold:
    """Draw one few-shot task: classes, training samples and test samples.

    Args:
        train_labels: (n,) class of each sample that may be drawn for training.
        test_labels: (m,) likewise for the test; None: the rest of the training samples is tested.
        shot: Training samples per class.
        way: Classes; None: all that have enough samples.
        test_per_class: Test samples per class; None: all.
        seed, fold: The choice depends on these and on the labels alone.

    Raises:
        ValueError: Fewer than ``way`` classes have enough samples.
    """
    rng = np.random.default_rng([seed, fold])
    least = test_per_class or 1

    def enough(label: int) -> bool:
        train = int((train_labels == label).sum())
        if test_labels is None:
            return train >= shot + least
        return train >= shot and int((test_labels == label).sum()) >= least

    known = np.array([c for c in np.unique(train_labels) if enough(c)], np.int64)
    if len(known) < (way or 1):
        raise ValueError(
            f'{len(known)} classes have {shot} training and {least} test samples, {way or 1} are '
            'needed'
        )
    classes = known if way is None else rng.permutation(known)[:way]
    train, test = [], []
    for label in classes:
        drawn = rng.permutation(np.flatnonzero(train_labels == label))
        train.append(drawn[:shot])
        rest = drawn[shot:] if test_labels is None else np.flatnonzero(test_labels == label)
        test.append(
            np.sort(rest) if test_per_class is None else rng.permutation(rest)[:test_per_class]
        )
    return Fold(classes, np.concatenate(train), np.concatenate(test))
