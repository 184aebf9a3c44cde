"""The corruptions of both suites by name: functions, groups, and numbers of points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pcdet_kd.corruptions import modelnet40c, modelnetc, scanning


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
        keeps_order: Whether the given points come first in the result, in their order, so that one
            can say where each has gone.
    """

    name: str
    function: Callable[..., np.ndarray]
    group: str
    num_points: tuple[int, ...]
    needs_mesh: bool = False
    keeps_order: bool = False


def _by_name(*corruptions: Corruption) -> dict[str, Corruption]:
    return {corruption.name: corruption for corruption in corruptions}


_ALL = (1024,) * 5

MODELNET40_C = _by_name(
    Corruption('occlusion', scanning.occlusion, 'density', _ALL, needs_mesh=True),
    Corruption('lidar', scanning.lidar, 'density', (768,) * 5, needs_mesh=True),
    Corruption('density_inc', modelnet40c.density_inc, 'density', _ALL),
    Corruption('density', modelnet40c.density, 'density', (949, 874, 799, 724, 649)),
    Corruption('cutout', modelnet40c.cutout, 'density', (964, 934, 874, 814, 724)),
    Corruption('uniform', modelnet40c.uniform, 'noise', _ALL, keeps_order=True),
    Corruption('gaussian', modelnet40c.gaussian, 'noise', _ALL, keeps_order=True),
    Corruption('impulse', modelnet40c.impulse, 'noise', _ALL, keeps_order=True),
    Corruption(
        'upsampling',
        modelnet40c.upsampling,
        'noise',
        (1228, 1280, 1365, 1536, 2048),
        keeps_order=True,
    ),
    Corruption(
        'background',
        modelnet40c.background,
        'noise',
        (1046, 1049, 1053, 1058, 1075),
        keeps_order=True,
    ),
    Corruption('rotation', modelnet40c.rotation, 'transformation', _ALL, keeps_order=True),
    Corruption('shear', modelnet40c.shear, 'transformation', _ALL, keeps_order=True),
    Corruption('distortion', modelnet40c.distortion, 'transformation', _ALL, keeps_order=True),
    Corruption(
        'distortion_rbf', modelnet40c.distortion_rbf, 'transformation', _ALL, keeps_order=True
    ),
    Corruption(
        'distortion_rbf_inv',
        modelnet40c.distortion_rbf_inv,
        'transformation',
        _ALL,
        keeps_order=True,
    ),
)

MODELNET_C = _by_name(
    Corruption('scale', modelnetc.scale, 'transformation', _ALL, keeps_order=True),
    Corruption('jitter', modelnetc.jitter, 'noise', _ALL, keeps_order=True),
    Corruption('rotate', modelnetc.rotate, 'transformation', _ALL, keeps_order=True),
    Corruption('dropout_global', modelnetc.dropout_global, 'density', (768, 640, 512, 384, 256)),
    Corruption('dropout_local', modelnetc.dropout_local, 'density', (924, 824, 724, 624, 524)),
    Corruption(
        'add_global',
        modelnetc.add_global,
        'noise',
        (1034, 1044, 1054, 1064, 1074),
        keeps_order=True,
    ),
    Corruption('add_local', modelnetc.add_local, 'noise', (1124, 1224, 1324, 1424, 1524)),
)
