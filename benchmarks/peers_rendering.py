"""Ray casting of meshes with trimesh and Embree (``pip install embreex``):
``ops.rasterize_mesh`` is compared with it.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pcdet_kd.ops.rasterize_mesh import sample_rays


def cameras_around(
    count: int, image_size: int, distance: float = 2.5, focal: float = 1.9, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Cameras in random directions that look at the origin: (count, 3, 4), and their intrinsics
    (count, 3).
    """
    z = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    z = z / z.norm(dim=1, keepdim=True)
    x = torch.linalg.cross(z, torch.tensor([0.3, 0.5, 0.8], dtype=torch.float64).expand_as(z))
    x = x / x.norm(dim=1, keepdim=True)
    turn = torch.stack([x, torch.linalg.cross(z, x), z], dim=1)
    offset = torch.tensor([[0.0], [0.0], [distance]], dtype=torch.float64).expand(count, 3, 1)
    half = image_size / 2
    return torch.cat([turn, offset], dim=2), torch.tensor([[focal * half, half, half]] * count)


def embree(
    trimesh: Any,
    vertices: np.ndarray,
    faces: np.ndarray,
    cameras: Tensor,
    intrinsics: Tensor,
    image_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """First hits of one ray per pixel, and headlight shading by NumPy: faces (C, R, R), -1 for
    none, and images (C, R, R).
    """
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    mesh = trimesh.Trimesh(vertices, faces, process=False)
    tracer = RayMeshIntersector(mesh)
    hits, images = [], []
    for camera, (across, down) in zip(
        cameras.double().numpy(), sample_rays(intrinsics, image_size, 1).numpy()
    ):
        x, y = np.meshgrid(across, down)
        rays = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3) @ camera[:, :3]
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        face = tracer.intersects_first(
            np.broadcast_to(-camera[:, :3].T @ camera[:, 3], rays.shape), rays
        )
        shade = 0.3 + 0.6 * np.abs((mesh.face_normals[face] * rays).sum(1))
        hits.append(face.reshape(image_size, image_size))
        images.append(np.where(face < 0, 1, shade).reshape(image_size, image_size))
    return np.stack(hits), np.stack(images)
