"""What the two corruption suites consist of: names, severities, files, and how many points each
cloud has.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pcdet_kd.datasets.corruptions import modelnet40c, modelnetc, scanning


@dataclass(frozen=True)
class Corruption:
    """One corruption of a suite.

    Attributes:
        name: As in the suite's file names.
        function: ``(points, severity, rng)``, or ``(vertices, faces, severity, rng)`` if it needs a
            mesh; returns (N', 3).
        group: Which kind of damage: ``'density'``, ``'noise'`` or ``'transformation'``.
        num_points: Points of each cloud in the published files, for every severity in turn.
        needs_mesh: Whether it is made from the shape's mesh instead of its points.
    """

    name: str
    function: Callable[..., np.ndarray]
    group: str
    num_points: tuple[int, ...]
    needs_mesh: bool = False


@dataclass(frozen=True)
class Suite:
    """A corruption suite.

    Attributes:
        name: ``'modelnet40-c'`` or ``'modelnet-c'``.
        severities: The numbers in the file names, mildest first.
        corruptions: By name, in the paper's order.
        pattern: File name of one set, with ``{name}`` and ``{severity}``.
        clean: File name of the clouds before corruption.
        labels: File name of the labels where they have a file of their own.
    """

    name: str
    severities: tuple[int, ...]
    corruptions: dict[str, Corruption]
    pattern: str
    clean: str
    labels: str | None = None

    def file_name(self, name: str, severity: int) -> str:
        """Return the file name of one corruption at one severity."""
        return self.pattern.format(name=name, severity=severity)

    def file_names(self) -> list[str]:
        """Return the names of all files of the suite."""
        sets = [
            self.file_name(name, severity)
            for name in self.corruptions
            for severity in self.severities
        ]
        return [*([self.labels] if self.labels else []), self.clean, *sets]

    def num_points(self, name: str, severity: int) -> int:
        """Return the points of each cloud in the published file."""
        return self.corruptions[name].num_points[self.severities.index(severity)]


def _suite(
    name: str, severities: tuple[int, ...], corruptions: tuple[Corruption, ...], **files: str
) -> Suite:
    return Suite(name, severities, {c.name: c for c in corruptions}, **files)


_ALL = (1024,) * 5

MODELNET40_C = _suite(
    'modelnet40-c',
    (1, 2, 3, 4, 5),
    (
        Corruption('occlusion', scanning.occlusion, 'density', _ALL, needs_mesh=True),
        Corruption('lidar', scanning.lidar, 'density', (768,) * 5, needs_mesh=True),
        Corruption('density_inc', modelnet40c.density_inc, 'density', _ALL),
        Corruption('density', modelnet40c.density, 'density', (949, 874, 799, 724, 649)),
        Corruption('cutout', modelnet40c.cutout, 'density', (964, 934, 874, 814, 724)),
        Corruption('uniform', modelnet40c.uniform, 'noise', _ALL),
        Corruption('gaussian', modelnet40c.gaussian, 'noise', _ALL),
        Corruption('impulse', modelnet40c.impulse, 'noise', _ALL),
        Corruption('upsampling', modelnet40c.upsampling, 'noise', (1228, 1280, 1365, 1536, 2048)),
        Corruption('background', modelnet40c.background, 'noise', (1046, 1049, 1053, 1058, 1075)),
        Corruption('rotation', modelnet40c.rotation, 'transformation', _ALL),
        Corruption('shear', modelnet40c.shear, 'transformation', _ALL),
        Corruption('distortion', modelnet40c.distortion, 'transformation', _ALL),
        Corruption('distortion_rbf', modelnet40c.distortion_rbf, 'transformation', _ALL),
        Corruption('distortion_rbf_inv', modelnet40c.distortion_rbf_inv, 'transformation', _ALL),
    ),
    pattern='data_{name}_{severity}.npy',
    clean='data_original.npy',
    labels='label.npy',
)

MODELNET_C = _suite(
    'modelnet-c',
    (0, 1, 2, 3, 4),
    (
        Corruption('scale', modelnetc.scale, 'transformation', _ALL),
        Corruption('jitter', modelnetc.jitter, 'noise', _ALL),
        Corruption('rotate', modelnetc.rotate, 'transformation', _ALL),
        Corruption(
            'dropout_global', modelnetc.dropout_global, 'density', (768, 640, 512, 384, 256)
        ),
        Corruption('dropout_local', modelnetc.dropout_local, 'density', (924, 824, 724, 624, 524)),
        Corruption('add_global', modelnetc.add_global, 'noise', (1034, 1044, 1054, 1064, 1074)),
        Corruption('add_local', modelnetc.add_local, 'noise', (1124, 1224, 1324, 1424, 1524)),
    ),
    pattern='{name}_{severity}.h5',
    clean='clean.h5',
)

SUITES = {suite.name: suite for suite in (MODELNET40_C, MODELNET_C)}
