"""The corruptions of the robustness suites, as transforms."""

from collections.abc import Callable, Sequence
from inspect import signature

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.corruptions import modelnet40c
from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.datasets.transforms.point_arrays import POINT_KEYS
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.utils.arguments import check_choice

IDENTITY = 'identity'
PRESETS = {
    'spt': (('shear',), ('gaussian', IDENTITY), ('scale', IDENTITY)),
    'tnd': (
        ('shear', IDENTITY),
        ('uniform', 'gaussian', 'impulse', IDENTITY),
        ('density', 'density_inc', IDENTITY),
    ),
}
_REMOVED = ('origin', 'delete')


@TRANSFORMS.register_module()
class Corrupt(BaseTransform):
    """Apply one corruption at one severity, as the suite's generator does (ModelNet40-C, Sun et
    al., 2022; ModelNet-C, Ren et al., 2022).

    Clouds are y-up, in the unit sphere. The result may have another number of points, in another
    order, so that ``normals``, ``rgb``, ``mask`` and other per-point arrays no longer match: they
    are removed from the sample.

    Args:
        name: A corruption of the suite that needs no mesh.
        severity: A severity of the suite: 1 to 5 (``'modelnet40-c'``) or 0 to 4 (``'modelnet-c'``).
        suite: ``'modelnet40-c'`` (Sun et al., 2022) or ``'modelnet-c'`` (Ren et al., 2022).
    """

    def __init__(self, name: str, severity: int, suite: str = 'modelnet40-c') -> None:
        known = _functions(suite)
        check_choice(f'name for {suite}', name, known)
        _check_severities((severity,), suite)
        self.severity = severity
        self._function = known[name]

    def transform(self, results: dict) -> dict:
        """Corrupt.

        Raises:
            ValueError: Too few points for this corruption.
        """
        return _with_points(results, self._function(results['points'], self.severity, _generator()))


@TRANSFORMS.register_module()
class RandomCorruptions(BaseTransform):
    """Corrupt the cloud for training: one random corruption of each group, in the groups' order,
    each with a random severity.

    The second view of JGEKD's transfer between clean and corrupted clouds, as in the released code
    of its authors' later papers; the pool of the 2023 paper itself is not known. Unlike the
    generators of test sets, nothing is normalised or clipped at the end, ``impulse`` moves N/60
    points at every severity, and the number of points stays (see ``removed``). Rotation,
    deformation, cutout, background, upsampling, occlusion and LiDAR are in neither preset, and
    so are not seen in training.

    As with :class:`Corrupt`, ``points`` is the only per-point array of the result.

    Args:
        preset: ``'spt'`` (DesenAT): shear; Gaussian noise or nothing; scaling of each axis or
            nothing. ``'tnd'`` (SEGIR): shear or nothing; uniform, Gaussian or impulse noise or
            nothing; density decreased or increased or nothing.
        groups: Instead of a preset: names for each group, ``'identity'`` for nothing. A name may
            occur repeatedly to be drawn more often. ``'modelnet40-c'`` has ``'scale'`` here, by 1 ±
            0.1 to 0.5, in addition to its fifteen.
        suite: Whose corruptions ``groups`` names. The presets are of ``'modelnet40-c'``.
        severities: The severities to draw from. None: all of the suite.
        removed: ``'origin'``: removed points are replaced by points at (0, 0, 0) after the others,
            so that N stays; ``'delete'``: they are deleted.
    """

    def __init__(
        self,
        preset: str | None = None,
        groups: Sequence[Sequence[str]] | None = None,
        suite: str = 'modelnet40-c',
        severities: Sequence[int] | None = None,
        removed: str = 'origin',
    ) -> None:
        if (preset is None) == (groups is None):
            raise ValueError(f'give either preset ({" or ".join(PRESETS)}) or groups, not both')
        if preset is not None:
            if preset not in PRESETS or suite != 'modelnet40-c':
                raise ValueError(
                    f"preset is '{preset}' of suite '{suite}', must be {' or '.join(PRESETS)} of "
                    'modelnet40-c'
                )
            groups = PRESETS[preset]
        check_choice('removed', removed, _REMOVED)
        known = {**_functions(suite), IDENTITY: None}
        if suite == 'modelnet40-c':
            known['scale'] = modelnet40c.scale
        for group in groups:
            if isinstance(group, str) or not group:
                raise ValueError(
                    f'groups is {groups!r}, must be sequences with at least one name each'
                )
            for name in group:
                check_choice('a name in groups', name, known)
        self.groups = tuple(tuple(group) for group in groups)
        self.severities = tuple(SUITES[suite].severities if severities is None else severities)
        _check_severities(self.severities, suite)
        self.removed = removed
        self._functions = {
            name: known[name] for group in self.groups for name in group if name != IDENTITY
        }

    def transform(self, results: dict) -> dict:
        """Corrupt.

        Raises:
            ValueError: Too few points for a corruption.
        """
        points, rng = results['points'], _generator()
        for group in self.groups:
            name = group[rng.integers(len(group))]
            severity = self.severities[rng.integers(len(self.severities))]
            if name == IDENTITY:
                continue
            function, before = self._functions[name], len(points)
            points = function(points, severity, rng, **_training_options(function, before))
            if self.removed == 'origin' and len(points) < before:
                points = np.concatenate([points, np.zeros((before - len(points), 3), np.float32)])
        return _with_points(results, points)


def _functions(suite: str) -> dict[str, Callable[..., np.ndarray]]:
    check_choice('suite', suite, SUITES)
    return {name: c.function for name, c in SUITES[suite].corruptions.items() if not c.needs_mesh}


def _check_severities(severities: Sequence[int], suite: str) -> None:
    known = SUITES[suite].severities
    if not severities or not set(severities) <= set(known):
        raise ValueError(
            f'severities are {tuple(severities)}, must be from {known[0]} to {known[-1]} '
            f'for {suite}'
        )


def _training_options(function: Callable, num_points: int) -> dict:
    """Return the arguments of a suite's function that differ between training and generating."""
    options = dict(finish=False, num_points=num_points, count=max(1, num_points // 60))
    return {name: options[name] for name in options if name in signature(function).parameters}


def _generator() -> np.random.Generator:
    """Return a generator seeded by NumPy's global one, which the data set seeds for every
    sample.
    """
    return np.random.default_rng(np.random.randint(0, 2**32, 4, dtype=np.uint32))


def _with_points(results: dict, points: np.ndarray) -> dict:
    return {
        **{key: value for key, value in results.items() if key not in POINT_KEYS},
        'points': points,
    }
