"""Clouds and meshes to measure on."""

import numpy as np
import torch
from torch import Tensor


def uniform(batch: int, points: int, seed: int = 0, channels: int = 3) -> Tensor:
    """Points drawn uniformly from [-1, 1]^channels: (batch, points, channels)."""
    return (
        torch.rand(batch, points, channels, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    )


def surface(batch: int, points: int, seed: int = 0) -> Tensor:
    """Points on two to five boxes, cylinders and spheres of random size and place, scaled to the
    unit sphere.
    """
    rng = np.random.default_rng(seed)
    clouds = np.empty((batch, points, 3), np.float32)
    for cloud in clouds:
        part = rng.integers(0, rng.integers(2, 6), points)
        for p in np.unique(part):
            n = int((part == p).sum())
            kind = rng.integers(3)
            q = rng.normal(size=(n, 3))
            if kind == 0:  # box: push one coordinate to a face
                q = rng.uniform(-1, 1, (n, 3))
                q[np.arange(n), rng.integers(0, 3, n)] = rng.choice([-1, 1], n)
            elif kind == 1:  # cylinder
                q[:, :2] /= np.linalg.norm(q[:, :2], axis=1, keepdims=True)
                q[:, 2] = rng.uniform(-1, 1, n)
            else:
                q /= np.linalg.norm(q, axis=1, keepdims=True)
            cloud[part == p] = q * rng.uniform(0.05, 0.55, 3) + rng.uniform(-0.5, 0.5, 3)
        cloud -= cloud.mean(0)
        cloud /= np.linalg.norm(cloud, axis=1).max()
    return torch.from_numpy(clouds)


def unit_cubes(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Scale pairs of clouds to the unit cube, each pair alike, as PointCMT does before its EMD."""
    both = torch.cat([x, y], 1)
    low = both.amin(1, keepdim=True)
    side = (both.amax(1, keepdim=True) - low).amax(2, keepdim=True)
    return (x - low) / side, (y - low) / side


def torus_mesh(triangles: int) -> tuple[np.ndarray, np.ndarray]:
    """A bumpy torus of about so many triangles, in the unit sphere: vertices (V, 3) float32 and
    faces (F, 3) int64.
    """
    n = max(3, round((triangles / 4) ** 0.5))
    u, v = np.meshgrid(np.arange(2 * n) * np.pi / n, np.arange(n) * 2 * np.pi / n, indexing='ij')
    radius = 0.3 + 0.04 * np.sin(5 * u) * np.cos(3 * v)
    vertices = np.stack(
        [
            (0.6 + radius * np.cos(v)) * np.cos(u),
            radius * np.sin(v),
            (0.6 + radius * np.cos(v)) * np.sin(u),
        ],
        -1,
    )
    index = np.arange(2 * n * n).reshape(2 * n, n)
    right, down = np.roll(index, -1, 0), np.roll(index, -1, 1)
    corner = np.roll(right, -1, 1)
    faces = np.stack(
        [np.stack([index, right, corner], -1), np.stack([index, corner, down], -1)]
    ).reshape(-1, 3)
    vertices = vertices.reshape(-1, 3)
    return (vertices / np.linalg.norm(vertices, axis=1).max()).astype(np.float32), faces.astype(
        np.int64
    )
