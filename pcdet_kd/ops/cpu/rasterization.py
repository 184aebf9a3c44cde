"""Z-buffer rasterisation of triangle meshes; the maths is that of the plain form, in the same order
of rounding.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from pcdet_kd.ops.cpu.options import OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, to_numpy
from pcdet_kd.ops.rasterize_mesh import sample_rays

# Not 'contract': neighbours would no longer agree about their edge. Not 'arcp': plain torch
# divides.
RASTER = {'nnan', 'nsz'}
MARGIN = np.float32(
    0.01
)  # of a sample, for the rounding of bounds; what is inside is decided exactly
BLOCK = 16  # samples that are tested at once
WIDE = 32  # samples in a row from which it pays to solve for those inside
ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)
INFINITE = np.float32(3e38)
TINY = np.float32(np.finfo(np.float32).tiny)


@njit(**OPTIONS)
def unit_normals(vertices, faces):
    """Return the unit normals (F, 3) of faces; 0 for a face without area."""
    normals = np.empty((faces.shape[0], 3), np.float32)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        length = max(np.sqrt(x * x + y * y + z * z), TINY)
        normals[f, 0], normals[f, 1], normals[f, 2] = x / length, y / length, z / length
    return normals


@njit(fastmath=RASTER, **OPTIONS)
def transform(vertices, camera, focal, middle, seen):
    """Fill ``seen`` (N, 5): camera coordinates of the vertices, and column and row in samples where
    z is positive.
    """
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        cx = ((camera[0, 0] * x + camera[0, 1] * y) + camera[0, 2] * z) + camera[0, 3]
        cy = ((camera[1, 0] * x + camera[1, 1] * y) + camera[1, 2] * z) + camera[1, 3]
        cz = ((camera[2, 0] * x + camera[2, 1] * y) + camera[2, 2] * z) + camera[2, 3]
        scale = focal / cz
        seen[i, 0], seen[i, 1], seen[i, 2] = cx, cy, cz
        seen[i, 3] = cx * scale + middle[0]
        seen[i, 4] = cy * scale + middle[1]


@njit(
    fastmath=RASTER, inline='always', **OPTIONS
)  # a call would cost as much as the work in small faces
def cover(x0, x1, across, a, ra, b, rb, c, rc, n, rn, lowest, highest, limit, f, inverse, face):
    """Test the samples x0 to x1 of a row against three edges and the depths so far, and write what
    is nearer.

    The row is (blocks, BLOCK), and whole blocks are tested: the edges decide exactly anyway.
    """
    for block in range(x0 // BLOCK, x1 // BLOCK + 1):
        rays, depths, faces = across[block], inverse[block], face[block]
        for lane in range(BLOCK):
            d = rays[lane]
            w = min(max(n * d + rn, lowest), highest)
            nearer = (
                (a * d + ra >= ZERO)
                & (b * d + rb >= ZERO)
                & (c * d + rc >= ZERO)
                & (w > depths[lane])
                & (w <= limit)
            )
            depths[lane] = w if nearer else depths[lane]
            faces[lane] = f if nearer else faces[lane]


@njit(fastmath=RASTER, **OPTIONS)
def narrow(x0, x1, e, r, focal, middle):
    """Return the part of x0 to x1 in which ``e * d + r >= 0`` can hold, one sample more on each
    side.
    """
    if e == ZERO:
        return (x0, x1) if r >= ZERO else (x0, x0 - 1)
    x = min(max(-r / e * focal + middle - HALF, np.float32(x0 - 2)), np.float32(x1 + 2))
    return (max(x0, int(x) - 1), x1) if e > ZERO else (x0, min(x1, int(x) + 2))


@njit(fastmath=RASTER, **OPTIONS)
def rasterize(seen, faces, rays, focal, middle, near, inverse, face):
    """Fill ``inverse`` and ``face`` (S, W), 0 and -1 before, with 1/z and index of the nearest face
    on each ray.

    ``seen`` is as :func:`transform` gives it; ``rays`` (2, W) as
    :func:`~pcdet_kd.ops.rasterize_mesh.sample_rays`, with W the next multiple of BLOCK (the values
    beyond S mean nothing); ``focal`` and ``middle`` (2,) are in samples.
    """
    size = inverse.shape[0]
    last = np.float32(size - 1)
    across, down = rays[0].reshape(-1, BLOCK), rays[1]
    depths, indices = inverse.reshape(size, -1, BLOCK), face.reshape(size, -1, BLOCK)
    for f in range(faces.shape[0]):
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        az, bz, cz = seen[i, 2], seen[j, 2], seen[k, 2]
        least, greatest = min(az, bz, cz), max(az, bz, cz)
        if greatest < near:
            continue
        x0, x1, y0, y1 = 0, size - 1, 0, size - 1
        if (
            least >= near
        ):  # else the bounds of the part before the plane would be needed: take the whole image
            low = min(seen[i, 3], seen[j, 3], seen[k, 3]) - HALF - MARGIN
            high = max(seen[i, 3], seen[j, 3], seen[k, 3]) - HALF + MARGIN
            x0, x1 = (
                int(np.ceil(min(max(low, ZERO), last + ONE))),
                int(np.floor(max(min(high, last), -ONE))),
            )
            if x0 > x1:
                continue
            low = min(seen[i, 4], seen[j, 4], seen[k, 4]) - HALF - MARGIN
            high = max(seen[i, 4], seen[j, 4], seen[k, 4]) - HALF + MARGIN
            y0, y1 = (
                int(np.ceil(min(max(low, ZERO), last + ONE))),
                int(np.floor(max(min(high, last), -ONE))),
            )
            if y0 > y1:
                continue
        ax, ay, bx, by, cx, cy = (
            seen[i, 0],
            seen[i, 1],
            seen[j, 0],
            seen[j, 1],
            seen[k, 0],
            seen[k, 1],
        )
        ux, uy, uz, vx, vy, vz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        volume = ax * nx + ay * ny + az * nz
        if volume == ZERO:
            continue
        side = -ONE if volume < ZERO else ONE
        nx, ny, nz = nx / volume, ny / volume, nz / volume
        # the planes through the camera and each edge, as (p - q) x (p + q)
        ux, uy, uz, vx, vy, vz = bx - cx, by - cy, bz - cz, bx + cx, by + cy, bz + cz
        a0, a1, a2 = (
            (uy * vz - uz * vy) * side,
            (uz * vx - ux * vz) * side,
            (ux * vy - uy * vx) * side,
        )
        ux, uy, uz, vx, vy, vz = cx - ax, cy - ay, cz - az, cx + ax, cy + ay, cz + az
        b0, b1, b2 = (
            (uy * vz - uz * vy) * side,
            (uz * vx - ux * vz) * side,
            (ux * vy - uy * vx) * side,
        )
        ux, uy, uz, vx, vy, vz = ax - bx, ay - by, az - bz, ax + bx, ay + by, az + bz
        c0, c1, c2 = (
            (uy * vz - uz * vy) * side,
            (uz * vx - ux * vz) * side,
            (ux * vy - uy * vx) * side,
        )
        lowest = ONE / greatest
        limit = ONE / max(least, near)
        highest = (
            limit if least >= near else INFINITE
        )  # what lies before the near plane is left out, not moved onto it
        for y in range(y0, y1 + 1):
            d = down[y]
            ra, rb, rc, rn = a1 * d + a2, b1 * d + b2, c1 * d + c2, ny * d + nz
            p, q = x0, x1
            if q - p >= WIDE:
                p, q = narrow(p, q, a0, ra, focal, middle[0])
                p, q = narrow(p, q, b0, rb, focal, middle[0])
                p, q = narrow(p, q, c0, rc, focal, middle[0])
            cover(
                p,
                q,
                across,
                a0,
                ra,
                b0,
                rb,
                c0,
                rc,
                nx,
                rn,
                lowest,
                highest,
                limit,
                np.int32(f),
                depths[y],
                indices[y],
            )


@njit(fastmath=RASTER, **OPTIONS)
def shade(
    inverse,
    face,
    normals,
    rays,
    camera,
    samples,
    ambient,
    diffuse,
    background,
    depth,
    chosen,
    image,
):
    """Fill depth, chosen (face) and image (R, R) from the samples of :func:`rasterize`."""
    across, down = rays[0], rays[1]
    count = np.float32(samples * samples)
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            total, nearest, index = ZERO, ZERO, np.int32(-1)
            for i in range(samples):
                for j in range(samples):
                    y, x = row * samples + i, column * samples + j
                    f, w = face[y, x], inverse[y, x]
                    if f < 0:
                        total += background
                        continue
                    dx, dy = across[x], down[y]
                    wx = camera[0, 0] * dx + (camera[1, 0] * dy + camera[2, 0])
                    wy = camera[0, 1] * dx + (camera[1, 1] * dy + camera[2, 1])
                    wz = camera[0, 2] * dx + (camera[1, 2] * dy + camera[2, 2])
                    cosine = abs(normals[f, 0] * wx + normals[f, 1] * wy + normals[f, 2] * wz)
                    cosine = min(cosine / np.sqrt(dx * dx + (dy * dy + ONE)), ONE)
                    total += cosine * diffuse + ambient
                    if w > nearest or (w == nearest and f < index):
                        nearest, index = w, f
            depth[row, column] = ONE / nearest if index >= 0 else ZERO
            chosen[row, column] = index
            image[row, column] = total / count


@njit(**OPTIONS)
def render(
    vertices,
    faces,
    normals,
    camera,
    rays,
    focal,
    middle,
    samples,
    near,
    ambient,
    diffuse,
    background,
    depth,
    chosen,
    image,
):
    """Render one view."""
    size = depth.shape[0] * samples
    width = (size + BLOCK - 1) // BLOCK * BLOCK
    seen = np.empty((vertices.shape[0], 5), np.float32)
    inverse, face = np.zeros((size, width), np.float32), np.full((size, width), np.int32(-1))
    transform(vertices, camera, focal, middle, seen)
    rasterize(seen, faces, rays, focal, middle, near, inverse, face)
    shade(
        inverse,
        face,
        normals,
        rays,
        camera,
        samples,
        ambient,
        diffuse,
        background,
        depth,
        chosen,
        image,
    )


def rasterize_mesh(
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
    """See :func:`pcdet_kd.ops.rasterize_mesh.rasterize_mesh_torch`; one view per thread."""
    points, index = to_numpy(vertices), faces.cpu().to(torch.int32).contiguous().numpy()
    extrinsic, rays = to_numpy(cameras), to_numpy(sample_rays(intrinsics, image_size, samples))
    rays = np.pad(rays, ((0, 0), (0, 0), (0, -rays.shape[2] % BLOCK)))
    inner = to_numpy(intrinsics * samples)
    depth = torch.empty(len(extrinsic), image_size, image_size)
    chosen, image = torch.empty_like(depth, dtype=torch.int64), torch.empty_like(depth)
    out = depth.numpy(), chosen.numpy(), image.numpy()
    normals = unit_normals(points, index)
    values = [np.float32(value) for value in (near, ambient, diffuse, background)]
    for_each_cloud(
        lambda v: render(
            points,
            index,
            normals,
            extrinsic[v],
            rays[v],
            inner[v, 0],
            inner[v, 1:],
            samples,
            *values,
            *(array[v] for array in out),
        ),
        len(extrinsic),
    )
    return depth.to(vertices.device), chosen.to(vertices.device), image.to(vertices.device)
