"""Images of a triangle mesh, by z-buffer."""

from typing import NamedTuple

import torch
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.checks import check_count, checks_values

MAX_SAMPLES = 4
_CHUNK = 1 << 21  # pairs of a face and a sample that the plain form looks at together


class MeshImages(NamedTuple):
    """What each camera sees of a mesh.

    Attributes:
        depth: (C, R, R) float32: distance along the camera's axis; 0 where there is nothing.
        face: (C, R, R) int64: index of the face; -1 where there is nothing.
        image: (C, R, R) float32: brightness.
    """

    depth: Tensor
    face: Tensor
    image: Tensor


def rasterize_mesh(
    vertices: Tensor,
    faces: Tensor,
    cameras: Tensor,
    intrinsics: Tensor,
    image_size: int,
    samples: int = 1,
    near: float = 1e-3,
    ambient: float = 0.3,
    diffuse: float = 0.6,
    background: float = 1.0,
) -> MeshImages:
    """Render a mesh from several cameras: depth, visible face, and brightness under a lamp at the
    camera.

    A pixel shows the nearest face that the ray through its middle meets, edges included, from
    whichever side; the lowest index of equally near ones. It has the brightness ``ambient + diffuse
    * |cos|`` of the angle between that ray and the face's normal, so that a large face shows no
    seam between its triangles. Faces that share an edge leave no gap on it. What is nearer than
    ``near`` is cut away; a face that reaches through that plane is seen in part. A face without
    area is not seen.

    Args:
        vertices: (N, 3), any floating type; computed in float32, so that a mesh should be about as
            large as its distance from the origin.
        faces: (F, 3) int64 indices of the corners.
        cameras: (C, 3, 4) from the mesh's to the cameras' coordinates, ``[rotation |
            translation]``: x points to the right, y downwards, z away from the camera.
        intrinsics: (C, 3): focal length, column and row of the axis, in pixels. The middle of the
            first pixel is (0.5, 0.5).
        image_size: Height and width R in pixels.
        samples: Rays per pixel along each side, 1 to 4. The brightness is their mean; depth and
            face are the nearest's.
        near: Least depth, > 0.
        ambient: Brightness of a face seen edge-on.
        diffuse: What a face seen head-on has in addition.
        background: Brightness where there is nothing.

    Returns:
        :class:`MeshImages`, without gradients. The same on every back end, bit for bit.

    Raises:
        ValueError: A wrong shape or type, no faces, an index outside the vertices, values that are
            not finite, a focal length or ``near`` that is not positive.
    """
    _check_mesh(vertices, faces)
    _check_cameras(cameras, intrinsics, vertices)
    check_count('image_size', image_size, None, 'the image')
    check_count('samples', samples, None, 'a pixel')
    if samples > MAX_SAMPLES:
        raise ValueError(f'samples is {samples}, expected 1 to {MAX_SAMPLES}')
    if not 0 < near < float('inf'):
        raise ValueError(f'near is {near!r}, expected a positive number')
    return MeshImages(
        *_rasterize_mesh(
            vertices.detach(),
            faces,
            cameras.detach(),
            intrinsics.detach(),
            image_size,
            samples,
            near,
            ambient,
            diffuse,
            background,
        )
    )


def _check_mesh(vertices: Tensor, faces: Tensor) -> None:
    for name, tensor in dict(vertices=vertices, faces=faces).items():
        if tensor.dim() != 2 or tensor.shape[1] != 3 or len(tensor) == 0:
            empty = ': the mesh has none' if tensor.dim() == 2 and len(tensor) == 0 else ''
            raise ValueError(
                f'{name} has shape {tuple(tensor.shape)}, expected (n, 3) with n at least 1{empty}'
            )
    if not vertices.is_floating_point() or faces.dtype != torch.int64:
        raise ValueError(
            f'vertices have dtype {vertices.dtype} and faces {faces.dtype}, expected a '
            'floating-point type and torch.int64'
        )
    if checks_values():
        if not bool(torch.isfinite(vertices).all()):
            raise ValueError(f'vertices {tuple(vertices.shape)} hold NaN or infinite values')
        low, high = (int(v) for v in torch.aminmax(faces))
        if low < 0 or high >= len(vertices):
            raise ValueError(
                f'faces {tuple(faces.shape)} hold indices from {low} to {high}, outside the '
                f'{len(vertices)} vertices'
            )


def _check_cameras(cameras: Tensor, intrinsics: Tensor, vertices: Tensor) -> None:
    count = cameras.shape[0] if cameras.dim() else 0
    if tuple(cameras.shape) != (count, 3, 4) or tuple(intrinsics.shape) != (count, 3) or count == 0:
        raise ValueError(
            f'cameras have shape {tuple(cameras.shape)} and intrinsics {tuple(intrinsics.shape)}, '
            'expected (C, 3, 4) and (C, 3) with C at least 1'
        )
    if not (cameras.is_floating_point() and intrinsics.is_floating_point()):
        raise ValueError(
            f'cameras have dtype {cameras.dtype} and intrinsics {intrinsics.dtype}, expected '
            'floating-point types'
        )
    if checks_values():
        if not bool(torch.isfinite(cameras).all() & torch.isfinite(intrinsics).all()):
            raise ValueError('cameras or intrinsics hold NaN or infinite values')
        if not bool((intrinsics[:, 0] > 0).all()):
            raise ValueError(
                f'intrinsics hold the focal length {float(intrinsics[:, 0].min())}, expected '
                'positive ones'
            )
    if not cameras.device == intrinsics.device == vertices.device:
        raise ValueError(
            f'cameras are on {cameras.device}, intrinsics on {intrinsics.device} and vertices on '
            f'{vertices.device}, expected one device'
        )


def sample_rays(intrinsics: Tensor, image_size: int, samples: int) -> Tensor:
    """Return x / z of the rays of each column, and y / z of those of each row: (C, 2, R * samples)
    float32.
    """
    place = (
        torch.arange(image_size * samples, device=intrinsics.device, dtype=torch.float64) + 0.5
    ) / samples
    intrinsics = intrinsics.double()
    return ((place - intrinsics[:, 1:, None]) / intrinsics[:, :1, None]).float()


def rasterize_mesh_torch(
    vertices: Tensor,
    faces: Tensor,
    cameras: Tensor,
    intrinsics: Tensor,
    image_size: int,
    samples: int,
    near: float,
    ambient: float,
    diffuse: float,
    background: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The same in plain torch, on any device: every face with every ray, which is slow beyond small
    meshes and images.

    A ray d = (x, y, 1) meets a face (a, b, c) in the camera's coordinates where d·(b×c), d·(c×a)
    and d·(a×b) have the sign of a·(b×c), or are 0. These products are half of (b-c)×(b+c) and so
    on, which lose no digits for small faces and change nothing but the sign when the corners are
    swapped: neighbours agree about their edge. With the normal n = (b-a)×(c-a), 1/z is d·n / a·n.
    Nothing is divided by the z of a corner, so that corners behind the camera need no clipping:
    what is nearer than ``near`` is left out ray by ray.
    """
    rays = sample_rays(intrinsics, image_size, samples)
    corners, cameras = vertices.float()[faces], cameras.float()
    normal = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal = (
        normal / _sqrt(_dot(normal, normal)).clamp(min=torch.finfo(torch.float32).tiny)[:, None]
    )
    x, y, z = corners.unbind(-1)
    results = []
    for camera, (across, down) in zip(cameras, rays):
        seen = torch.stack([((m[0] * x + m[1] * y) + m[2] * z) + m[3] for m in camera], dim=-1)
        inverse, face = _visible(seen, across, down, near)
        right, below, ahead = camera[:, :3]
        world = torch.stack(
            [right[i] * across + (below[i] * down + ahead[i])[:, None] for i in range(3)], dim=-1
        )
        length = _sqrt(across * across + (down * down + 1)[:, None])
        cosine = (_dot(normal[face.clamp(min=0)], world).abs() / length).clamp(max=1)
        shade = torch.where(face < 0, background, cosine * diffuse + ambient)
        results.append(_gather_samples(inverse, face, shade, samples))
    depth, face, image = (torch.stack(tensors) for tensors in zip(*results))
    return depth, face, image


def _visible(corners: Tensor, across: Tensor, down: Tensor, near: float) -> tuple[Tensor, Tensor]:
    """Return 1/z (0: nothing) and the index (-1) of the nearest of faces (F, 3, 3) on each ray: (S,
    S) each.
    """
    best = across.new_zeros(len(down), len(across))
    face = torch.full_like(best, -1, dtype=torch.int64)
    size = max(1, _CHUNK // best.numel())
    for start in range(0, len(corners), size):
        a, b, c = corners[start : start + size].unbind(1)
        normal = _cross(b - a, c - a)
        volume = _dot(a, normal)
        side = torch.where(volume < 0, -1.0, 1.0)[:, None]
        edges = [_cross(p - q, p + q) * side for p, q in ((b, c), (c, a), (a, b))]
        least, greatest = torch.stack([a, b, c])[..., 2].aminmax(dim=0)
        inside = ((volume != 0) & (greatest >= near))[:, None, None]
        for edge in edges:
            inside = inside & (_on_rays(edge, across, down) >= 0)
        inverse = _on_rays(normal / volume[:, None], across, down)
        inverse = torch.maximum(inverse, (1 / greatest)[:, None, None])
        crossing = (least < near)[:, None, None]
        limit = 1 / least.clamp(min=near)[:, None, None]
        inside = inside & ~(crossing & (inverse > limit))
        inverse = torch.where(inside, torch.minimum(inverse, limit), 0)
        first = inverse.argmax(dim=0)
        inverse = inverse.gather(0, first[None])[0]
        nearer = inverse > best
        best, face = torch.where(nearer, inverse, best), torch.where(nearer, first + start, face)
    return best, face


def _gather_samples(
    inverse: Tensor, face: Tensor, shade: Tensor, samples: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return depth, face and mean shade of each pixel from those of its samples."""
    nearest, chosen, total = None, None, 0
    for i in range(samples):
        for j in range(samples):
            w, f = inverse[i::samples, j::samples], face[i::samples, j::samples]
            total = total + shade[i::samples, j::samples]
            if nearest is None:
                nearest, chosen = w, f
                continue
            better = (w > nearest) | ((w == nearest) & (f < chosen))
            nearest, chosen = torch.where(better, w, nearest), torch.where(better, f, chosen)
    depth = torch.where(chosen < 0, 0, 1 / nearest)
    return depth, chosen, total / (samples * samples)


def _on_rays(plane: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Return plane (F, 3) · (x, y, 1) on all rays: (F, S, S), in the kernels' order of rounding."""
    row = plane[:, 1, None] * down + plane[:, 2, None]
    return plane[:, 0, None, None] * across + row[:, :, None]


def _cross(p: Tensor, q: Tensor) -> Tensor:
    px, py, pz = p.unbind(-1)
    qx, qy, qz = q.unbind(-1)
    return torch.stack([py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx], dim=-1)


def _dot(p: Tensor, q: Tensor) -> Tensor:
    px, py, pz = p.unbind(-1)
    qx, qy, qz = q.unbind(-1)
    return px * qx + py * qy + pz * qz


def _sqrt(x: Tensor) -> Tensor:
    return (
        x.double().sqrt().float()
    )  # correctly rounded, which torch's own float32 root is not on every processor


def _empty(vertices: Tensor, faces: Tensor, cameras: Tensor, _: Tensor, size: int, *__) -> tuple:
    shape = cameras.shape[0], size, size
    depth = vertices.new_empty(shape, dtype=torch.float32)
    return depth, faces.new_empty(shape), torch.empty_like(depth)


_rasterize_mesh = backend.define(rasterize_mesh_torch, _empty)
