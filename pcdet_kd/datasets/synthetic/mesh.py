"""A triangle mesh with part labels, and points on its surface."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mesh:
    """Triangles whose vertices turn counter-clockwise when seen from outside.

    Attributes:
        vertices: (V, 3) float64.
        faces: (F, 3) int64 indices into the vertices.
        face_parts: (F,) int64, the part that each triangle belongs to.
    """

    vertices: np.ndarray
    faces: np.ndarray
    face_parts: np.ndarray

    def face_vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """Return unit normals (F, 3) and areas (F,); a triangle without area has the normal 0."""
        corner = self.vertices[self.faces]
        a, b = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
        cross = np.cross(a, b)
        length = np.sqrt(dot(cross, cross))
        return cross / np.maximum(length, 1e-30)[:, None], length / 2

    def transformed(
        self, matrix: np.ndarray, offset: np.ndarray | Sequence[float] = (0, 0, 0)
    ) -> 'Mesh':
        """Return a mesh with vertices ``matrix @ v + offset``; the matrix must not mirror."""
        return Mesh(rotate(self.vertices, matrix) + np.asarray(offset), self.faces, self.face_parts)

    def sample(
        self, count: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw points evenly by area.

        The number of points in a triangle differs by less than one from its share, so that small
        parts always get points.

        Returns:
            Points (count, 3), unit normals (count, 3) and part labels (count,). The first two are
            transposed in memory, since later steps work coordinate by coordinate.
        """
        normals, areas = self.face_vectors()
        edges = np.cumsum(areas) * (count / areas.sum())
        counts = np.diff(np.floor(edges + rng.random()), prepend=0).astype(np.int64)
        face = np.repeat(np.arange(len(areas)), np.maximum(counts, 0))
        face = np.resize(face, count)
        u, v = rng.random((2, count))
        over = u + v > 1
        u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
        points, turned = np.empty((2, 3, count))
        for axis in range(3):
            origin, b, c = self.vertices[self.faces, axis].T
            points[axis] = origin[face] + u * (b - origin)[face] + v * (c - origin)[face]
            turned[axis] = normals[face, axis]
        return points.T, turned.T, self.face_parts[face]


def dot(points: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the dot product (n,) of points (n, 3) with a vector (3,) or with as many vectors (n,
    3).
    """
    x, y, z = np.asarray(vector).T
    return points[:, 0] * x + points[:, 1] * y + points[:, 2] * z


def rotate(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return ``matrix @ p`` of every point (n, 3), added up in a fixed order, so that it is the
    same on every machine.
    """
    return np.stack([dot(points, row) for row in matrix], axis=1)


def rotation(axis: str, angle: float) -> np.ndarray:
    """Return the 3 × 3 rotation about axis ``'x'``, ``'y'`` or ``'z'`` by an angle in radians."""
    c, s = np.cos(angle), np.sin(angle)
    i = 'xyz'.index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.zeros((3, 3))
    matrix[i, i] = 1
    matrix[j, j] = matrix[k, k] = c
    matrix[k, j], matrix[j, k] = s, -s
    return matrix


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """Put meshes side by side into one."""
    offsets = np.cumsum([0, *(len(m.vertices) for m in meshes[:-1])])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + o for m, o in zip(meshes, offsets)]),
        np.concatenate([m.face_parts for m in meshes]),
    )
