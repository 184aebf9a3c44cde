"""Seeded, class-stratified splits."""

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
