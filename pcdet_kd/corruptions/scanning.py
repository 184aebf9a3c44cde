"""The corruptions of ModelNet40-C that look at a shape's mesh from one side: occlusion, and a
simulated LiDAR.

Meshes are z-up, as ModelNet's are; the clouds are y-up, as ModelNet40's are. The severity is the
number of a viewpoint, not a strength: five cameras around the shape, a fifth of a turn apart.
"""

import numpy as np
import torch

from pcdet_kd.corruptions.geometry import (
    by_severity,
    rotation_matrices,
    to_unit_box,
    turned,
)
from pcdet_kd.ops.rasterize_mesh import rasterize_mesh

_FIRST = 1
_FOCAL = 365.0
# The authors' image is 1080 x 720; a shape in the box is nearer to the axis than 360 pixels, so its
# middle is enough
_SIZE = 720


def occlusion(
    vertices: np.ndarray,
    faces: np.ndarray,
    severity: int,
    rng: np.random.Generator,
    num_points: int = 1024,
) -> np.ndarray:
    """What a depth camera at distance 3, 30 to 60 degrees above the shape, sees of it.

    Args:
        vertices: (V, 3), z-up; normalised to the box [-1, 1] here.
        faces: (F, 3) indices.
        severity: 1 to 5: where around the shape the camera stands.
        rng: Source of the random numbers.
        num_points: Points of the result; some repeat if the camera sees fewer.

    Returns:
        (num_points, 3) float32, y-up, normalised to the box.

    Raises:
        ValueError: A malformed mesh, or one that the camera does not see.
    """
    points, _ = _scan(
        vertices, faces, severity, rng.uniform(2 * np.pi / 3, 5 * np.pi / 6), 3.0, rng
    )
    points = points[rng.permutation(len(points))]
    points = points[:: max(1, len(points) // num_points)]
    if len(points) < num_points:
        points = np.concatenate(
            [points, points[rng.integers(len(points), size=num_points - len(points))]]
        )
    return to_unit_box(turned(points[:num_points], 'z', 'y')).astype(np.float32)


def lidar(
    vertices: np.ndarray,
    faces: np.ndarray,
    severity: int,
    rng: np.random.Generator,
    num_points: int = 768,
) -> np.ndarray:
    """What a LiDAR at distance 5, 22.5 degrees above the shape, measures: points on lines one
    degree apart.

    Points in the middle half of each degree of elevation are moved to its middle, the others are
    left out. The authors' loop over the degrees ends at a number that is not the largest elevation;
    here it covers all of them.

    Args:
        vertices, faces, severity, rng: As in :func:`occlusion`.
        num_points: Points of the result, drawn with replacement.

    Returns:
        (num_points, 3) float32, y-up, in the coordinates of the normalised mesh.

    Raises:
        ValueError: A malformed mesh, or one that the camera does not see.
    """
    points, sensor = _scan(vertices, faces, severity, 5 * np.pi / 8, 5.0, rng)
    lines = scan_lines(points - sensor)
    if not len(lines):
        raise ValueError('no point of the mesh is on a scan line of the LiDAR')
    return turned(lines[rng.integers(len(lines), size=num_points)] + sensor, 'z', 'y').astype(
        np.float32
    )


def scan_lines(points: np.ndarray) -> np.ndarray:
    """Keep points (N, 3), seen from the origin, in the middle half of each degree of elevation;
    move them to its middle.
    """
    distance = np.linalg.norm(points, axis=1)
    elevation = np.degrees(np.arcsin(points[:, 2] / distance))
    degree = np.floor(elevation)
    kept = np.abs(elevation - degree - 0.5) <= 0.25
    azimuth, elevation = (
        np.arctan2(points[kept, 1], points[kept, 0]),
        np.radians(degree[kept] + 0.5),
    )
    flat = np.cos(elevation)
    return distance[kept, None] * np.stack(
        [flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], axis=1
    )


def _scan(
    vertices: np.ndarray,
    faces: np.ndarray,
    severity: int,
    tilt: float,
    distance: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (n, 3) that the camera sees, z-up, and its position (3,)."""
    theta = 2 * np.pi / 5 * by_severity((1, 2, 3, 4, 5), severity, _FIRST)
    rx, _, rz = rotation_matrices(tilt, 0, rng.uniform(theta - np.pi / 5, theta + np.pi / 5))
    axes = (
        rz @ rx
    )  # columns: the camera's right, down and forward; upside down, which changes no point
    sensor = -distance * axes[:, 2]
    camera = torch.from_numpy(np.column_stack([axes.T, (0, 0, distance)]))
    vertices = to_unit_box(np.asarray(vertices, np.float64))
    middle = _SIZE / 2
    images = rasterize_mesh(
        torch.from_numpy(vertices),
        torch.from_numpy(np.asarray(faces, np.int64)),
        camera[None],
        torch.tensor([[_FOCAL, middle, middle]]),
        _SIZE,
    )
    depth = images.depth[0].double().numpy()
    row, column = np.nonzero(depth)
    if not len(row):
        raise ValueError('the camera sees nothing of the mesh')
    z = depth[row, column]
    seen = np.stack(
        [(column + 0.5 - middle) / _FOCAL * z, (row + 0.5 - middle) / _FOCAL * z, z], axis=1
    )
    return seen @ axes.T + sensor, sensor
