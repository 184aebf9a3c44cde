"""Renderings of meshes from all sides, in the style that multi-view networks were trained on."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pcdet_kd.ops.rasterize_mesh import rasterize_mesh
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.views.camera_rigs import camera_directions, look_at_origin

FRAMINGS = ('tight', 'sphere')
# of the rendering of a mesh, in radii: a thin needle seen from its tip is not magnified further
_LEAST_SIDE = 1e-3


def normalize_mesh(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Move and scale vertices so that the middle of the bounding box is the origin and the farthest
    vertex is at distance 1 from it.

    Args:
        vertices: (N, 3). Those that no face refers to do not count.
        faces: (F, 3) indices.

    Returns:
        (N, 3) float64.

    Raises:
        ValueError: No faces, an index outside the vertices, values that are not finite, or all
            corners at one place.
    """
    vertices = np.asarray(vertices, dtype=np.float64)
    if len(faces) == 0:
        raise ValueError('the mesh has no faces')
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError(
            f'faces hold indices from {faces.min()} to {faces.max()}, outside the {len(vertices)} '
            'vertices'
        )
    used = vertices[np.unique(faces)]
    if not np.isfinite(used).all():
        raise ValueError('vertices are NaN or infinite')
    low, high = used.min(axis=0), used.max(axis=0)
    middle = low / 2 + high / 2
    radius = np.linalg.norm(used - middle, axis=1).max()
    if not radius > 0:
        raise ValueError('the mesh has no extent: all its vertices are at one place')
    return np.where(np.isfinite(vertices), (vertices - middle) / radius, 0)


@MODELS.register_module()
class MeshRenderer(nn.Module):
    """Grey renderings of a mesh with a light at the camera: white surface, flat shading, white
    background.

    The defaults are the settings of RotationNet's images, which PointCMT trains on: 20 cameras on a
    dodecahedron, 224 pixels, ambient light 0.3 and diffuse 0.6, each object cropped tightly and
    scaled so that its longer side has 90 % of the image and its silhouette at most 30 % of the
    area. (Those images were made with MATLAB, whose camera distance is not published; ours is an
    argument.)

    Args:
        rig: See :func:`~pcdet_kd.views.camera_rigs.camera_directions`.
        image_size: Height and width R in pixels.
        samples: Rays per pixel along each side, 1 to 4; 2 gives smooth edges.
        framing: ``'tight'``: each image is shifted and scaled to ``fill`` and ``max_area``.
            ``'sphere'``: all images show the sphere around the mesh, ``fill`` of the image wide,
            so that sizes can be compared between them.
        fill: Share of the image's width.
        max_area: Greatest share of the image that a silhouette covers, in tight framing.
        distance: From the cameras to the middle of the mesh, in radii, > 1.
        up_axis: Which axis of the meshes is upright: z in ModelNet's OFF files.
        ambient, diffuse, background: See :func:`~pcdet_kd.ops.rasterize_mesh.rasterize_mesh`.
        channels: 1, or 3 (the grey image repeated, for networks that expect colours).

    Raises:
        ValueError: A setting is not one of those above.
    """

    def __init__(
        self,
        rig: str = 'dodecahedron',
        image_size: int = 224,
        samples: int = 2,
        framing: str = 'tight',
        fill: float = 0.9,
        max_area: float = 0.3,
        distance: float = 3.0,
        up_axis: str = 'z',
        ambient: float = 0.3,
        diffuse: float = 0.6,
        background: float = 1.0,
        channels: int = 1,
    ) -> None:
        super().__init__()
        check_choice('framing', framing, FRAMINGS)
        if not (0 < fill <= 1 and 0 < max_area <= 1):
            raise ValueError(
                f'fill is {fill} and max_area is {max_area}, must be above 0 and at most 1'
            )
        if distance <= 1:
            raise ValueError(
                f'distance is {distance}, must be above 1: the camera must be outside the mesh'
            )
        check_choice('channels', channels, (1, 3))
        if image_size < 1 or samples not in (1, 2, 3, 4):
            raise ValueError(
                f'image_size is {image_size}, must be at least 1; samples is {samples}, must be '
                '1 to 4'
            )
        cameras = look_at_origin(camera_directions(rig, up_axis), distance, up_axis)
        self.cameras = torch.from_numpy(
            cameras
        )  # no buffer: rendering is the CPU's, in full precision
        self.settings = dict(
            rig=rig,
            image_size=image_size,
            samples=samples,
            framing=framing,
            fill=fill,
            max_area=max_area,
            distance=distance,
            up_axis=up_axis,
            ambient=ambient,
            diffuse=diffuse,
            background=background,
        )
        self.channels = channels

    @property
    def num_views(self) -> int:
        """Number of cameras."""
        return len(self.cameras)

    @torch.no_grad()
    def forward(self, vertices: np.ndarray | Tensor, faces: np.ndarray | Tensor) -> Tensor:
        """Render one mesh.

        Args:
            vertices: (N, 3), of any size and at any place.
            faces: (F, 3) indices.

        Returns:
            Images (V, channels, R, R) float32 in [0, 1] on the CPU, where they are rendered.

        Raises:
            ValueError: A mesh without faces or extent, with bad indices, or with values that are
                not finite.
        """
        vertices, faces = (np.asarray(torch.as_tensor(array).cpu()) for array in (vertices, faces))
        points, index = (
            torch.from_numpy(normalize_mesh(vertices, faces)),
            torch.from_numpy(faces.astype(np.int64)),
        )
        size, cameras = self.settings['image_size'], self.cameras
        light = {name: self.settings[name] for name in ('ambient', 'diffuse', 'background')}

        def render(intrinsics: Tensor, samples: int) -> Any:
            return rasterize_mesh(
                points, index, cameras, intrinsics, size, samples, near=1e-3, **light
            )

        frame = self._tight if self.settings['framing'] == 'tight' else self._sphere
        images = render(
            frame(points[index.unique()], cameras, render), self.settings['samples']
        ).image
        return images[:, None].clamp(0, 1).expand(-1, self.channels, -1, -1).contiguous()

    def _sphere(self, points: Tensor, cameras: Tensor, render: Callable) -> Tensor:
        half = self.settings['image_size'] / 2
        focal = (
            self.settings['fill'] * half * (self.settings['distance'] ** 2 - 1) ** 0.5
        )  # a sphere's outline is a tangent
        return torch.tensor([[focal, half, half]], dtype=torch.float64).expand(len(cameras), 3)

    def _tight(self, points: Tensor, cameras: Tensor, render: Callable) -> Tensor:
        """Return the intrinsics that centre the mesh in each image, at the greatest scale that is
        allowed.
        """
        size = self.settings['image_size']
        seen = points @ cameras[:, :, :3].transpose(1, 2) + cameras[:, None, :, 3]
        place = seen[..., :2] / seen[..., 2:]  # (V, N, 2)
        low, high = place.amin(1), place.amax(1)

        def intrinsics(focal: Tensor) -> Tensor:
            return torch.cat([focal[:, None], size / 2 - focal[:, None] * (low + high) / 2], dim=1)

        focal = self.settings['fill'] * size / (high - low).amax(1).clamp(min=_LEAST_SIDE)
        area = (render(intrinsics(focal), 1).face >= 0).double().mean((1, 2))
        return intrinsics(
            focal * (self.settings['max_area'] / area.clamp(min=self.settings['max_area'])).sqrt()
        )

    def extra_repr(self) -> str:
        return ', '.join(
            f'{k}={v!r}' for k, v in {**self.settings, 'channels': self.channels}.items()
        )
