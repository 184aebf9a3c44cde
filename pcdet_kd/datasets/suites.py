"""The corruption suites: their names and their files.

Two suites have similar names: ModelNet40-C (Sun et al., 2022) and ModelNet-C (Ren et al., 2022).
"""

from dataclasses import dataclass

from pcdet_kd.corruptions import MODELNET40_C, MODELNET_C, Corruption

CLEAN = 'clean'
MARK = 'generated.json'  # beside the files that the generator wrote
SetName = tuple[str, int]  # corruption and severity; ('clean', 0) for the clean set


@dataclass(frozen=True)
class Suite:
    """A corruption suite: a named set of corrupted test sets.

    Attributes:
        name: As in options and configs.
        title: As in its paper.
        root: Directory of the files by default.
        severities: The numbers in the file names, mildest first.
        corruptions: By name, in the paper's order.
        pattern: File name of one set, with ``{name}`` and ``{severity}``.
        clean: File name of the clouds before corruption.
        labels: File name of the labels where they have a file of their own.
    """

    name: str
    title: str
    root: str
    severities: tuple[int, ...]
    corruptions: dict[str, Corruption]
    pattern: str
    clean: str
    labels: str | None = None

    @property
    def sets(self) -> list[SetName]:
        """The sets in the paper's order, the clean one first."""
        return [(CLEAN, 0), *((name, s) for name in self.corruptions for s in self.severities)]

    def file_name(self, name: str, severity: int = 0) -> str:
        """Return the file name of one corruption at one severity, or of the clean set."""
        return self.clean if name == CLEAN else self.pattern.format(name=name, severity=severity)

    def file_names(self) -> list[str]:
        """Return the names of all files of the suite."""
        return [*filter(None, [self.labels]), *(self.file_name(*found) for found in self.sets)]

    def num_points(self, name: str, severity: int) -> int:
        """Return the points of each cloud in the published file."""
        return self.corruptions[name].num_points[self.severities.index(severity)]


_SUITES = (
    Suite(
        'modelnet40-c',
        'ModelNet40-C',
        'data/modelnet40_c',
        (1, 2, 3, 4, 5),
        MODELNET40_C,
        pattern='data_{name}_{severity}.npy',
        clean='data_original.npy',
        labels='label.npy',
    ),
    Suite(
        'modelnet-c',
        'ModelNet-C',
        'data/modelnet_c',
        (0, 1, 2, 3, 4),
        MODELNET_C,
        pattern='{name}_{severity}.h5',
        clean='clean.h5',
    ),
)
SUITES = {suite.name: suite for suite in _SUITES}
