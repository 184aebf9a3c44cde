"""What a depth camera sees of a scene: visible surface, noise, holes and cropping."""

from dataclasses import dataclass

import numpy as np

from pcdet_kd.datasets.synthetic.mesh import Mesh, dot

BACKGROUND = -1
_PER_PIXEL = (
    3  # points of the depth image in a pixel, on average: few pixels on a surface are empty
)


@dataclass
class Scan:
    """Points seen by the camera.

    Attributes:
        points: (n, 3).
        normals: (n, 3) unit normals of the true surface.
        parts: (n,) part labels, -1 for background.
    """

    points: np.ndarray
    normals: np.ndarray
    parts: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> 'Scan':
        return Scan(self.points[chosen], self.normals[chosen], self.parts[chosen])


def visible(
    points: np.ndarray, normals: np.ndarray, eye: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the points that a camera sees, with a depth image of the points themselves.

    A point is visible if its surface faces the camera, not too obliquely for a depth sensor, and no
    point in its pixel is nearer by more than what a flat surface could span within one pixel.
    Points in the four pixels beside it hide it too, if they are nearer by three times as much: that
    closes gaps between samples, and leaves the rim of shadow beside a nearer edge that depth
    sensors show.

    Args:
        points: (n, 3) samples of all surfaces; the denser, the finer the depth image.
        normals: (n, 3) unit normals, outwards.
        eye: (3,) camera position.
        target: (3,) what the camera looks at; must not be straight above or below the eye.

    Returns:
        Visible (n,) bool, and distance from the camera (n,).
    """
    ray = points - eye
    forward = target - eye
    forward = forward / np.sqrt((forward**2).sum())
    right = np.array([-forward[2], 0, forward[0]]) / np.hypot(forward[0], forward[2])
    up = np.cross(right, forward)
    depth = dot(ray, forward)
    distance = np.sqrt(dot(ray, ray))
    facing = -dot(ray, normals) / distance
    seen = np.zeros(len(points), bool)
    front = np.flatnonzero((facing > 0.12) & (depth > 0.05))
    if not len(front):
        return seen, distance
    ray, depth, facing = ray[front], depth[front], facing[front]
    u, v = dot(ray, right) / depth, dot(ray, up) / depth
    pixels = max(int(np.sqrt(len(front) / _PER_PIXEL)), 1)
    step = max(np.ptp(u), np.ptp(v), 1e-9) * (1 + 1e-6) / pixels
    row, column = (1 + ((a - a.min()) / step).astype(np.int64) for a in (v, u))
    pixel = row * (pixels + 2) + column
    nearest = np.full((pixels + 2, pixels + 2), np.inf)  # with a border
    np.minimum.at(nearest.reshape(-1), pixel, depth)
    beside = nearest.copy()
    for near, far in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
        np.minimum(beside[near], nearest[far], out=beside[near])
        np.minimum(beside[:, near], nearest[:, far], out=beside[:, near])
    span = (np.sqrt(1 / facing**2 - 1) + 0.3) * step * depth
    seen[front] = (depth <= nearest.reshape(-1)[pixel] + span) & (
        depth <= beside.reshape(-1)[pixel] + 3 * span
    )
    return seen, distance


def cameras(
    low: np.ndarray, high: np.ndarray, against_wall: bool, rng: np.random.Generator
) -> np.ndarray:
    """Choose one to three positions (k, 3) on a short walk around an object that fills the box from
    ``low`` to ``high``.

    An object against a wall (behind it, at -z) is only seen from the front.
    """
    centre, size = (low + high) / 2, high - low
    reach = rng.uniform(1.1, 1.9) * np.sqrt((size**2).sum())
    azimuth = rng.uniform(-1.1, 1.1) if against_wall else rng.uniform(-np.pi, np.pi)
    count = int(rng.integers(1, 4))
    walk = np.sort(rng.uniform(-0.6, 0.6, count)) * (1 if against_wall else 1.6)
    azimuth = np.clip(azimuth + walk, -1.3, 1.3) if against_wall else azimuth + walk
    elevation = rng.uniform(0.12, 0.75, count)
    flat = reach * np.cos(elevation)
    offset = np.stack(
        [flat * np.sin(azimuth), reach * np.sin(elevation), flat * np.cos(azimuth)], axis=1
    )
    return centre + offset


def scan(
    mesh: Mesh, count: int, eyes: np.ndarray, rng: np.random.Generator, noise: float = 1.0
) -> Scan:
    """Scan a scene from one or more positions and fuse the views.

    Noise along the line of sight has a standard deviation that grows with the square of the
    distance (in units of the scene's size), as a structured-light sensor's does, on top of a smooth
    ripple such as fusing frames leaves behind.

    Args:
        mesh: The scene.
        count: Points on all of its surface, seen or not.
        eyes: (k, 3) camera positions.
        rng: Source of randomness.
        noise: Factor on the noise.
    """
    points, normals, parts = mesh.sample(count, rng)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    target, size = (low + high) / 2, np.sqrt(((high - low) ** 2).sum())
    seen = np.zeros(len(points), bool)
    distance = np.full(len(points), np.inf)
    for eye in eyes:
        view, far = visible(points, normals, eye, target)
        seen |= view
        distance = np.where(view, np.minimum(distance, far), distance)
    points, normals = points[seen], normals[seen]
    amount = noise * size * (0.003 + 0.0025 * (distance[seen] / size) ** 2)
    ripple = np.zeros(len(points))
    for _ in range(3):
        wave = rng.normal(0, 9 / size, 3)
        ripple += np.sin(dot(points, wave) + rng.uniform(0, 2 * np.pi))
    shift = (
        rng.normal(0, 1, len(ripple)) * amount + ripple * rng.uniform(0.001, 0.006) * size * noise
    )
    jitter = rng.normal(0, 0.3, points.shape) * amount[:, None]
    return Scan(points + shift[:, None] * normals + jitter, normals, parts[seen])


def damage(found: Scan, rng: np.random.Generator, crop: float = 1.0) -> Scan:
    """Cut off a side (now and then) and tear holes, as occlusion, dark surfaces and lost tracking
    do.

    At least 30 % of the points stay.

    Args:
        found: What was scanned.
        rng: Source of randomness.
        crop: Factor on how often and how much is cut.
    """
    n = len(found.points)
    keep = np.ones(n, bool)
    if rng.random() < 0.6 * crop:
        direction = rng.normal(0, 1, 3) * (1, 0.6, 1)
        along = dot(found.points, direction)
        lost = int(n * rng.uniform(0.05, 0.35) * min(crop, 1.5))
        keep &= along >= np.partition(along, lost)[lost]
    size = np.sqrt((np.ptp(found.points, axis=0) ** 2).sum())
    for _ in range(int(rng.integers(0, 5))):
        centre = found.points[int(rng.integers(n))]
        offset = found.points - centre
        hole = dot(offset, offset) < (rng.uniform(0.03, 0.11) * size) ** 2
        if (keep & ~hole).sum() > 0.3 * n:
            keep &= ~hole
    return found[keep]
