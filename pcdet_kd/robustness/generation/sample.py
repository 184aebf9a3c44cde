"""One cloud of a generated set."""

import hashlib

import numpy as np

from pcdet_kd.corruptions.geometry import turned
from pcdet_kd.datasets.suites import Suite
from pcdet_kd.robustness.generation.source import Source
from pcdet_kd.utils.errors import DataError, SampleError

_UP = 'y'  # of the clouds that the suites are made of: shears and scans know which axis is upright


def generator_for(*key: object) -> np.random.Generator:
    """Return a generator of random numbers that depends on all parts of the key."""
    text = '\0'.join(map(str, key)).encode()
    return np.random.default_rng(
        int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), 'little')
    )


class Maker:
    """Makes the clouds of a suite from a source.

    Args:
        suite: The suite.
        source: Clean clouds.
        seed: Seed of the generated set.
        num_points: Points taken of each cloud.
    """

    def __init__(self, suite: Suite, source: Source, seed: int, num_points: int) -> None:
        self.suite, self.source, self.seed, self.num_points = suite, source, seed, num_points
        self._largest = max(len(cloud) for cloud in source.points)

    def make(self, chosen: tuple[str, int] | None, index: int) -> np.ndarray:
        """Return cloud ``index``, corrupted by (name, severity), or the points that are taken of it
        for the clean set.

        Raises:
            SampleError: The cloud has too few points, or the camera sees nothing of its mesh.
            DataError: The mesh cannot be read.
        """
        name, severity = chosen or (self.suite.clean, None)
        rng = generator_for(self.seed, self.suite.name, name, severity, self.source.ids[index])
        if chosen is None:
            return self._take(index, name, severity, self.num_points, rng)
        try:
            return turned(self._corrupt(index, name, severity, rng), _UP, self.source.up_axis)
        except DataError:
            raise
        except ValueError as error:
            raise SampleError(
                f"{self.suite.name}: '{name}' at severity {severity} of sample "
                f"'{self.source.ids[index]}' "
                f'({self.source.name}): {error}'
            ) from error

    def _corrupt(
        self, index: int, name: str, severity: int, rng: np.random.Generator
    ) -> np.ndarray:
        corruption = self.suite.corruptions[name]
        if corruption.needs_mesh:
            vertices, faces = self.source.mesh(index)
            count = self.num_points * self.suite.num_points(name, severity) // 1024
            return corruption.function(vertices, faces, severity, rng, count)
        count, options = self.num_points, {}
        if name == 'density_inc':  # the authors take all 2,048 points here
            count = max(count, min(2 * count, len(self.source.points[index])))
            options = dict(num_points=self.num_points)
        points = turned(self._take(index, name, severity, count, rng), self.source.up_axis, _UP)
        return corruption.function(points, severity, rng, **options)

    def _take(
        self, index: int, name: str, severity: int | None, count: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return ``count`` points: the same random choice for all clouds of a set, or (ModelNet-C)
        the first.
        """
        points = self.source.points[index]
        if self.suite.name == 'modelnet40-c':
            shared = generator_for(self.seed, self.suite.name, name, severity)
            # a prefix of these keys does not depend on the largest cloud, so that clouds may differ
            # in size
            order = np.argsort(shared.random(self._largest)[: len(points)], kind='stable')
        else:
            order = np.arange(len(points))
        if len(order) < count:
            order = np.concatenate([order, rng.integers(len(points), size=count - len(order))])
        return points[order[:count]]
