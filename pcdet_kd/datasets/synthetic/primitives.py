"""Closed solids from which the shapes are put together.

Lengths are metres, y is up, and ``at`` is the centre of a solid's underside. All solids are closed
and face outwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from pcdet_kd.datasets.synthetic.mesh import rotate, rotation

Vector = Sequence[float]


@dataclass(frozen=True)
class Solid:
    """Vertices (V, 3) and outward triangles (F, 3) of a named part."""

    part: str
    vertices: np.ndarray
    faces: np.ndarray

    def moved(self, offset: Vector) -> 'Solid':
        """Return a copy shifted by ``offset``."""
        return replace(self, vertices=self.vertices + np.asarray(offset, float))

    def turned(self, axis: str, angle: float, about: Vector = (0, 0, 0)) -> 'Solid':
        """Return a copy turned by ``angle`` (radians) about the line through ``about`` along
        ``axis``.
        """
        about = np.asarray(about, float)
        return replace(self, vertices=rotate(self.vertices - about, rotation(axis, angle)) + about)


_BOX = np.array([(x, y, z) for y in (0, 1) for z in (-0.5, 0.5) for x in (-0.5, 0.5)], float)
_BOX_FACES = np.array(
    [
        (0, 1, 3),
        (0, 3, 2),
        (4, 7, 5),
        (4, 6, 7),
        (0, 5, 1),
        (0, 4, 5),
        (2, 3, 7),
        (2, 7, 6),
        (0, 2, 6),
        (0, 6, 4),
        (1, 5, 7),
        (1, 7, 3),
    ]
)


def box(
    part: str, size: Vector, at: Vector = (0, 0, 0), top: tuple[float, float] = (1, 1)
) -> Solid:
    """A box of ``size`` (width x, height y, depth z) whose upper face is ``top`` times as wide and
    deep as its lower.
    """
    vertices = _BOX * np.asarray(size, float)
    vertices[4:, [0, 2]] *= top
    return Solid(part, vertices + np.asarray(at, float), _BOX_FACES)


@lru_cache(maxsize=256)
def _strip(rings: int, segments: int) -> np.ndarray:
    """Triangles between consecutive rings of vertices, the first and last closed by one vertex each
    (the last two).
    """
    j = np.arange(segments)
    k = (j + 1) % segments
    low, high = rings * segments, rings * segments + 1
    faces = [np.stack([np.full(segments, low), j, k], axis=1)]
    for i in range(rings - 1):
        a, b = i * segments, (i + 1) * segments
        faces += [np.stack([a + j, b + j, b + k], axis=1), np.stack([a + j, b + k, a + k], axis=1)]
    last = (rings - 1) * segments
    faces.append(np.stack([np.full(segments, high), last + k, last + j], axis=1))
    faces = np.concatenate(faces)
    faces.flags.writeable = False
    return faces


def lathe(
    part: str,
    profile: Sequence[tuple[float, float]],
    at: Vector = (0, 0, 0),
    aspect: tuple[float, float] = (1, 1),
    squareness: float = 2.0,
    segments: int = 20,
) -> Solid:
    """A solid of revolution about y.

    Args:
        part: Name of the part.
        profile: (radius, height) from the underside's middle outwards and up; it may come back down
            inside, which makes a bowl. Both ends are closed at their height.
        at: Where the profile's origin goes.
        aspect: Factors on x and z, for ovals.
        squareness: Exponent of the cross-section's superellipse: 2 is a circle, large is a square.
        segments: Number of sides; 4 makes a rectangular section whose half-widths are the radii.
    """
    radius, height = np.asarray(profile, float).T
    angle = 2 * np.pi * (np.arange(segments) + 0.5) / segments
    c, s = np.cos(angle), np.sin(angle)
    if segments == 4:
        x, z = np.sign(c), np.sign(s)
    else:
        x = np.sign(c) * np.abs(c) ** (2 / squareness)
        z = np.sign(s) * np.abs(s) ** (2 / squareness)
    rings = len(radius)
    vertices = np.empty((rings * segments + 2, 3))
    body = vertices[:-2].reshape(rings, segments, 3)
    body[..., 0] = radius[:, None] * x * aspect[0]
    body[..., 1] = height[:, None]
    body[..., 2] = radius[:, None] * z * aspect[1]
    vertices[-2], vertices[-1] = (0, height[0], 0), (0, height[-1], 0)
    return Solid(part, vertices + np.asarray(at, float), _strip(rings, segments))


def cylinder(
    part: str,
    radius: float,
    height: float,
    at: Vector = (0, 0, 0),
    top: float = 1.0,
    segments: int = 12,
    aspect: tuple[float, float] = (1, 1),
) -> Solid:
    """An upright cylinder or, with ``top`` ≠ 1, a cone cut off where its radius is ``top`` times
    that of its foot.
    """
    return lathe(part, [(radius, 0), (radius * top, height)], at, aspect, segments=segments)


def bowl(
    part: str,
    radius: float,
    height: float,
    at: Vector = (0, 0, 0),
    foot: float = 0.7,
    wall: float = 0.02,
    floor: float | None = None,
    aspect: tuple[float, float] = (1, 1),
    squareness: float = 2.0,
    segments: int = 20,
    bulge: float = 0.0,
) -> Solid:
    """An open vessel.

    Args:
        part: Name of the part.
        radius: Outer radius at the rim.
        height: Height of the rim.
        at: Where the middle of the underside goes.
        foot: Radius of the underside as a part of ``radius``.
        wall: Thickness of the wall.
        floor: Thickness of the floor; that of the wall if None.
        aspect: Factors on x and z.
        squareness: As in :func:`lathe`.
        segments: As in :func:`lathe`.
        bulge: How far the wall swells beyond a straight line, as a part of ``radius``.
    """
    floor = wall if floor is None else floor
    t = np.linspace(0, 1, 5 if bulge else 2)
    r = radius * (foot + (1 - foot) * t + bulge * np.sin(np.pi * t))
    outer = [(a, height * b) for a, b in zip(r, t)]
    inner = [(max(a - wall, wall / 2), max(height * b, floor)) for a, b in zip(r[::-1], t[::-1])]
    return lathe(part, outer + inner, at, aspect, squareness, segments)


def ring(
    part: str,
    outer: float,
    inner: float,
    height: float,
    at: Vector = (0, 0, 0),
    aspect: tuple[float, float] = (1, 1),
    squareness: float = 2.0,
    segments: int = 20,
) -> Solid:
    """A flat ring with a hole through it: the seat of a toilet, the rim of a crate."""
    profile = [(outer, 0), (outer, height), (inner, height), (inner, 0)]
    solid = lathe(part, profile, at, aspect, squareness, segments)
    faces = solid.faces[segments:-segments]
    j = np.arange(segments)
    k = (j + 1) % segments
    last = 3 * segments
    inside = [np.stack([last + j, j, k], axis=1), np.stack([last + j, k, last + k], axis=1)]
    return Solid(part, solid.vertices[:-2], np.concatenate([faces, *inside]))


def cushion(
    part: str,
    size: Vector,
    at: Vector = (0, 0, 0),
    roundness: float = 3.0,
    squareness: float = 5.0,
    segments: int = 24,
    rings: int = 9,
) -> Solid:
    """A superellipsoid of ``size`` (width, height, depth).

    Args:
        part: Name of the part.
        size: Width, height and depth.
        at: Where the middle of the underside goes.
        roundness: Exponent of the vertical section: 2 is an ellipse, large is flat above and below
            with upright sides.
        squareness: Exponent of the horizontal section.
        segments: Corners of each ring.
        rings: Number of rings.
    """
    t = np.pi * ((np.arange(rings) + 0.5) / rings - 0.5)
    r = np.abs(np.cos(t)) ** (2 / roundness)
    y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / roundness)
    y = y / y[-1]
    profile = list(zip(r, (y + 1) / 2 * size[1]))
    return lathe(part, profile, at, (size[0] / 2, size[2] / 2), squareness, segments)


def tube(part: str, path: Sequence[Vector], radius: float, segments: int = 8) -> Solid:
    """A round bar along a path (k, 3) of k ≥ 2 distinct points."""
    path = np.asarray(path, float)
    direction = np.gradient(path, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    # One reference direction for the whole path keeps the rings from twisting against each other.
    spread = np.abs(direction).max(axis=0)
    reference = np.eye(3)[np.argmin(spread)]
    u = np.cross(direction, reference)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(direction, u)
    angle = 2 * np.pi * np.arange(segments) / segments
    rings = path[:, None] + radius * (
        np.cos(angle)[:, None] * u[:, None] + np.sin(angle)[:, None] * v[:, None]
    )
    vertices = np.concatenate([rings.reshape(-1, 3), path[:1], path[-1:]])
    return Solid(part, vertices, _strip(len(path), segments)[:, ::-1])


def arc(width: float, height: float, count: int = 9) -> np.ndarray:
    """Points (count, 3) of a half ellipse in the plane z = 0, from (-width / 2, 0) over (0, height)
    to (width / 2, 0).
    """
    t = np.pi * (1 - np.arange(count) / (count - 1))
    return np.stack([width / 2 * np.cos(t), height * np.sin(t), np.zeros(count)], axis=1)
