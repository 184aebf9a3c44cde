"""What a data set holds of its files."""

from dataclasses import dataclass, field

import numpy as np

from pcdet_kd.datasets.shared_arrays import SharedList, is_starting_a_process, share
from pcdet_kd.utils.hashing import content_sha256


@dataclass
class Records:
    """What a data set read from its files.

    Attributes:
        points: (n, N, 3) float32, or a list of n arrays (N_i, 3): xyz.
        labels: (n,) int64 class indices.
        ids: n names, each unique in the split and the same on every machine and in every run.
        extras: More per-point arrays by name (``normals`` (n, N, 3), ``rgb`` (n, N, 3) in [0, 1],
            ``part_labels`` (n, N), ``mask`` (n, N)), or lists of arrays like ``points``.
        source: Where the data came from, for messages.
        validation: (n,) bool, which samples the files themselves set apart for validation; None if
            they do not.
    """

    points: np.ndarray | list[np.ndarray]
    labels: np.ndarray
    ids: list[str]
    extras: dict[str, np.ndarray | list[np.ndarray]] = field(default_factory=dict)
    source: str = ''
    validation: np.ndarray | None = None
    _hashes: dict[int, str] = field(default_factory=dict, repr=False, compare=False)

    def hash_of(self, record: int) -> str:
        """Return a hash of one record's points and extras."""
        if record not in self._hashes:
            arrays = [('points', self.points), *sorted(self.extras.items())]
            self._hashes[record] = content_sha256(
                part for name, array in arrays for part in (name, array[record])
            )
        return self._hashes[record]

    def freeze(self) -> None:
        """Make every array read-only: all samples share them."""
        for array in (self.points, self.labels, *self.extras.values()):
            for a in array if isinstance(array, list) else [array]:
                a.flags.writeable = False

    def __getstate__(self) -> dict:
        """Return what is pickled. For a process that is being started, the arrays are not copied:
        it maps the same memory.
        """
        if not is_starting_a_process():
            return {k: v for k, v in self.__dict__.items() if k != '_shared'}
        shared = self._in_shared_memory()
        extras = {k: shared.get(k, v) for k, v in self.extras.items()}
        state = dict(self.__dict__, points=shared.get('points', self.points), extras=extras)
        state.pop('_shared')
        return state

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.points = self.points.array if isinstance(self.points, SharedList) else self.points
        self.extras = {
            k: v.array if isinstance(v, SharedList) else v for k, v in self.extras.items()
        }
        self.freeze()  # pickling, and so a spawned worker, forgets the flag

    def _in_shared_memory(self) -> dict:
        """Move the arrays, once, to memory that other processes can map; this process uses it too,
        so that there is one copy.
        """
        if '_shared' not in self.__dict__:
            arrays = dict(points=self.points, **self.extras)
            found = {name: share(values) for name, values in arrays.items()}
            shared = {name: values for name, values in found.items() if values is not None}
            arrays.update({name: values.array for name, values in shared.items()})
            self.points, self.extras = arrays.pop('points'), arrays
            self.__dict__['_shared'] = shared
        return self.__dict__['_shared']

    def __deepcopy__(self, memo: dict) -> 'Records':
        return self  # read-only: a subset or a copy of the data set needs no second copy in memory
