"""Entries of a data set that are too many to be held as dicts."""

from collections.abc import Callable, Sequence

import numpy as np


class Rows(Sequence):
    """What a data set's ``data_list`` holds, made when it is asked for.

    Args:
        make: Returns the entry of a number.
        index: The numbers (n,), in order; or how many, from 0.
    """

    def __init__(self, make: Callable[[int], dict], index: np.ndarray | int) -> None:
        self._make = make
        self._index = range(index) if isinstance(index, int) else index

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, position: int | slice) -> 'dict | Rows':
        if isinstance(position, slice):
            chosen = self._index[position]
            return Rows(
                self._make,
                np.arange(chosen.start, chosen.stop, chosen.step)
                if isinstance(chosen, range)
                else chosen,
            )
        return self._make(int(self._index[position]))

    @property
    def numbers(self) -> np.ndarray:
        """The numbers (n,) of the entries, in order."""
        return np.asarray(self._index, dtype=np.int64)

    def __deepcopy__(self, memo: dict) -> 'Rows':
        return self  # never changed: a subset needs no copy of what makes the entries
