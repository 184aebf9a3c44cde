import math

import numpy as np
import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.ops import rasterize_mesh
from pcdet_kd.ops.rasterize_mesh import sample_rays

trimesh = pytest.importorskip('trimesh')
SQUARE = (
    torch.tensor([[-1.0, -1, 2], [1, -1, 2], [1, 1, 2], [-1, 1, 2]]),
    torch.tensor([[0, 1, 2], [0, 2, 3]]),
)
IDENTITY = torch.eye(3, 4)[None]


def pinhole(size, focal=1.0, count=1):
    """A focal length in half images: 1 is a field of view of 90 degrees."""
    return torch.tensor([[focal * size / 2, size / 2, size / 2]] * count)


def render(mesh, size=16, focal=1.0, cameras=IDENTITY, **settings):
    return rasterize_mesh(*mesh, cameras, pinhole(size, focal, len(cameras)), size, **settings)


def around(count, distance, seed=0):
    """Cameras in random directions at a distance from the origin, looking at it."""
    cameras = []
    for z in np.random.default_rng(seed).normal(size=(count, 3)):
        z /= np.linalg.norm(z)
        x = np.cross(z, [0.3, 0.5, 0.8])
        x /= np.linalg.norm(x)
        cameras.append(np.column_stack([x, np.cross(z, x), z, [0, 0, distance]][:3]).T)
    rotation = torch.tensor(np.array(cameras))
    return torch.cat(
        [rotation, torch.tensor([0.0, 0, distance]).double().expand(count, 3)[..., None]], dim=-1
    )


def tensors(mesh):
    return torch.tensor(mesh.vertices, dtype=torch.float32), torch.tensor(
        mesh.faces, dtype=torch.int64
    )


def soup(seed=1, faces=60, spread=0.7):
    rng = np.random.default_rng(seed)
    vertices = torch.tensor(rng.normal(size=(90, 3)) * spread, dtype=torch.float32)
    return vertices, torch.tensor(rng.integers(0, 90, (faces, 3)))


MESHES = {
    'box': tensors(trimesh.creation.box((1, 0.7, 1.2))),
    'ball': tensors(trimesh.creation.icosphere(subdivisions=2)),
    'torus': tensors(trimesh.creation.torus(0.7, 0.2, major_sections=20, minor_sections=12)),
    'needle': tensors(trimesh.creation.cylinder(0.01, 3)),
    'soup': soup(),  # crossing and degenerate faces
    'near': soup(2, 40, 2.0),  # faces around and behind the cameras
}


@pytest.fixture(params=['torch', 'numba'], autouse=True)
def _back_end(request):
    with ops.use(request.param):
        yield


def test_a_square_ahead():
    depth, face, image = render(SQUARE)
    assert (
        depth.shape == (1, 16, 16)
        and depth.dtype == image.dtype == torch.float32
        and face.dtype == torch.int64
    )
    seen = torch.zeros(16, 16, dtype=torch.bool)
    seen[4:12, 4:12] = True  # half as wide as the image: x / z is 1/2 at its border
    assert torch.equal(face[0] >= 0, seen)
    assert torch.equal(depth[0], torch.where(seen, 2.0, 0.0)) and bool((image[0][~seen] == 1).all())
    upper = (
        torch.ones(8, 8).triu().bool()
    )  # face 0 has the corners at the top and on the right; both have the diagonal
    assert torch.equal(face[0, 4:12, 4:12], torch.where(upper, 0, 1))
    assert torch.equal(face[0].max(), torch.tensor(1))


def test_shade_follows_the_ray_without_a_seam():
    image = render(SQUARE, ambient=0.2, diffuse=0.5)[2][0, 4:12, 4:12]
    place = (torch.arange(16) + 0.5) / 8 - 1
    cosine = 1 / (place[4:12, None] ** 2 + place[None, 4:12] ** 2 + 1).sqrt()
    torch.testing.assert_close(image, 0.2 + 0.5 * cosine)
    backward = SQUARE[0], SQUARE[1].flip(1)
    torch.testing.assert_close(render(backward, ambient=0.2, diffuse=0.5)[2][0, 4:12, 4:12], image)


def test_the_nearest_face_wins_and_then_the_lowest_index():
    behind = SQUARE[0] * 2
    vertices = torch.cat([behind, SQUARE[0]])
    both = render((vertices, torch.cat([SQUARE[1], SQUARE[1] + 4])))
    assert both.face.unique().tolist() == [-1, 2, 3]
    assert bool((both.depth[both.face >= 0] == 2).all())
    again = render((SQUARE[0], SQUARE[1].repeat(3, 1)))
    assert torch.equal(again.face, render(SQUARE).face)
    assert torch.equal(
        render((SQUARE[0], SQUARE[1].repeat(3, 1).flip(0))).face[0, 5, 9], torch.tensor(1)
    )


def test_what_is_nearer_than_the_plane_is_cut_away():
    # a floor one unit below the camera, from behind it to far ahead: y / z of the rays goes down to
    # the near plane
    floor = torch.tensor([[-50.0, 1, -50], [50, 1, -50], [50, 1, 50], [-50, 1, 50]])
    depth, face, _ = render((floor, SQUARE[1]), size=64, near=2.0)
    down = (torch.arange(64) + 0.5) / 32 - 1
    expected = torch.where((1 / down >= 2) & (1 / down <= 50), 1 / down, 0)
    torch.testing.assert_close(depth[0], expected[:, None].expand(64, 64), rtol=1e-5, atol=0)
    assert torch.equal(face[0] >= 0, (expected > 0)[:, None].expand(64, 64))
    assert bool((render((floor, SQUARE[1]), size=64, near=60.0).face < 0).all())
    behind = SQUARE[0] * torch.tensor([1, 1, -1.0])
    assert bool((render((behind, SQUARE[1])).face < 0).all())


def test_a_surface_has_no_holes():
    # a fan whose corners and edges lie on the rays through the middles of pixels
    border = [(-9, -9), (0, -9), (9, -9), (9, 0), (9, 9), (0, 9), (-9, 9), (-9, 0)]
    corner = torch.tensor([[x, y, 16.0] for x, y in [(0, 0), *border]])
    corner = corner + torch.tensor([1.0, 1, 0])
    fan = torch.tensor([[0, i, i % 8 + 1] for i in range(1, 9)])
    seen = render((corner, fan)).face[0] >= 0
    assert bool(seen[4:13, 4:13].all()) and int(seen.sum()) == seen.any(0).sum() * seen.any(1).sum()
    for name in ('ball', 'box'):
        face = render(MESHES[name], 96, 2.0, around(6, 2.5)).face >= 0
        for row in face.flatten(0, 1):
            columns = row.nonzero()[:, 0]
            assert len(columns) == 0 or bool(
                row[columns[0] : columns[-1] + 1].all()
            )  # convex: one run of pixels in each row


@pytest.mark.parametrize('name', MESHES)
@pytest.mark.parametrize('samples', [1, 2, 3])
def test_back_ends_give_the_same_bits(name, samples):
    cameras = around(3, 0.8 if name == 'near' else 2.5)
    images = render(MESHES[name], 40, 1.6, cameras, samples=samples, near=0.1)
    with ops.use('torch'):
        expected = render(MESHES[name], 40, 1.6, cameras, samples=samples, near=0.1)
    assert all(torch.equal(a, b) for a, b in zip(images, expected))
    assert bool((images.face >= 0).any()) and bool(images.image.isfinite().all())


def test_samples_are_averaged_and_the_nearest_gives_depth_and_face():
    mesh, cameras = MESHES['box'], around(2, 2.5)
    fine = render(mesh, 48, 1.5, cameras)
    depth, face, image = render(mesh, 24, 1.5, cameras, samples=2)
    torch.testing.assert_close(image, torch.nn.functional.avg_pool2d(fine.image, 2))
    far = torch.where(fine.face < 0, math.inf, fine.depth)
    nearest = -torch.nn.functional.max_pool2d(-far, 2)
    assert torch.equal(depth, torch.where(nearest.isinf(), 0, nearest)) and torch.equal(
        face >= 0, ~nearest.isinf()
    )


def test_equally_near_samples_give_the_lowest_face():
    for faces in (SQUARE[1], SQUARE[1].flip(0)):
        for mirrored in (False, True):
            vertices = SQUARE[0] * torch.tensor([-1.0, 1, 1]) if mirrored else SQUARE[0]
            face = render((vertices, faces), samples=2).face[0, 4:12, 4:12]
            assert bool(((face.flip(1) if mirrored else face).diagonal() == 0).all())


def test_faces_without_area_are_not_seen():
    vertices, faces = SQUARE
    degenerate = torch.tensor([[0, 0, 0], [1, 1, 2], [0, 2, 0]])
    images = render((vertices, torch.cat([degenerate, faces])))
    assert torch.equal(images.image, render(SQUARE).image) and images.face.unique().tolist() == [
        -1,
        3,
        4,
    ]


def test_faces_seen_edge_on_keep_their_depth():
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(200, 3, 3, generator=generator) * torch.tensor([2.0, 2, 1]) + torch.tensor(
        [-1.0, -1, 2]
    )
    column = torch.randint(64, (200, 1), generator=generator)
    corners[:, :, 0] = corners[:, :, 2] * (
        (column + 0.5) / 32 - 1
    )  # planes through the rays of a column of pixels ...
    corners[:, :, 0] += 1e-6 * torch.randn(200, 3, generator=generator)  # ... but for this
    faces = torch.arange(600).view(200, 3)
    depth, face, _ = render((corners.flatten(0, 1), faces), size=64)
    assert len(face.unique()) > 20
    z = corners[..., 2][face.clamp(min=0)]
    inside = (depth >= z.amin(-1) * (1 - 1e-6)) & (depth <= z.amax(-1) * (1 + 1e-6))
    assert bool((inside | (face < 0)).all())


def test_against_a_ray_tracer_in_float64():
    vertices, faces = soup(5, 20)
    cameras = around(2, 2.5, seed=3)
    depth, face, _ = render((vertices, faces), 24, 1.5, cameras, near=0.1)
    rays = sample_rays(pinhole(24, 1.5, 2), 24, 1).double()
    for view, camera in enumerate(cameras):
        seen = vertices.double() @ camera[:, :3].T + camera[:, 3]
        a, b, c = seen[faces].unbind(1)
        d = torch.stack(
            [*torch.meshgrid(rays[view, 0], rays[view, 1], indexing='xy'), torch.ones(24, 24)],
            dim=-1,
        ).double()
        d = d[..., None, :]
        p = torch.linalg.cross(d, (c - a).expand(24, 24, -1, 3))
        determinant = ((b - a) * p).sum(-1)
        u = -(a * p).sum(-1) / determinant
        q = torch.linalg.cross(-a, b - a)
        v, t = (d * q).sum(-1) / determinant, ((c - a) * q).sum(-1) / determinant
        hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0.1)
        nearest, index = torch.where(hit, t, math.inf).min(-1)
        clear = (
            (torch.stack([u, v, 1 - u - v]).abs() > 1e-4).all(0).all(-1)
        )  # not within rounding of any edge
        clear &= ~((torch.where(hit, t, math.inf) < nearest[..., None] + 1e-4).sum(-1) > 1)
        assert clear.double().mean() > 0.9
        assert torch.equal(face[view][clear], torch.where(nearest.isinf(), -1, index)[clear])
        expected = torch.where(nearest.isinf(), 0, nearest)[clear]
        torch.testing.assert_close(depth[view][clear].double(), expected, rtol=1e-4, atol=0)


def test_silhouettes_are_those_of_embree():
    pytest.importorskip('embreex')
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    cameras = around(4, 2.5)
    x, y = sample_rays(pinhole(128, 1.9, 4), 128, 1).double().unbind(1)
    for name in ('box', 'ball', 'torus'):
        face = render(MESHES[name], 128, 1.9, cameras).face
        tracer = RayMeshIntersector(
            trimesh.Trimesh(*(t.numpy() for t in MESHES[name]), process=False)
        )
        for view, camera in enumerate(cameras):
            d = torch.stack(
                [*torch.meshgrid(x[view], y[view], indexing='xy'), torch.ones(128, 128)], dim=-1
            ).reshape(-1, 3)
            origin = (-camera[:, :3].T @ camera[:, 3]).expand_as(d)
            expected = tracer.intersects_first(origin.numpy(), (d @ camera[:, :3]).numpy()).reshape(
                128, 128
            )
            assert int(((face[view] >= 0).numpy() != (expected >= 0)).sum()) == 0
            assert int((face[view].numpy() != expected).sum()) <= 4  # edges may go to either side


def test_type_and_place_of_the_tensors():
    vertices, faces = MESHES['box']
    wanted = render((vertices, faces), cameras=around(1, 2.5))
    for mesh in (
        (vertices.double(), faces),
        (vertices.t().contiguous().t(), faces.t().contiguous().t()),
    ):
        assert all(torch.equal(a, b) for a, b in zip(render(mesh, cameras=around(1, 2.5)), wanted))
    grown = vertices.clone().requires_grad_()
    assert not render((grown, faces)).depth.requires_grad


NAN = torch.tensor([[0, 0, math.nan], [1.0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ('vertices', 'faces', 'message'),
    [
        (SQUARE[0], SQUARE[1][:0], 'faces has shape .0, 3.*the mesh has none'),
        (SQUARE[0][:0], SQUARE[1], 'vertices has shape .0, 3'),
        (SQUARE[0][:, :2], SQUARE[1], 'vertices has shape .4, 2'),
        (SQUARE[0], SQUARE[1] + 1, 'indices from 1 to 4, outside the 4 vertices'),
        (SQUARE[0], SQUARE[1] - 1, 'indices from -1 to 2'),
        (SQUARE[0], SQUARE[1].int(), 'dtype torch.float32 and faces torch.int32'),
        (NAN, SQUARE[1][:1], 'vertices .3, 3. hold NaN'),
    ],
)
def test_bad_meshes(vertices, faces, message):
    with pytest.raises(ValueError, match=message):
        render((vertices, faces))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(cameras=torch.eye(4)[None]), 'cameras have shape .1, 4, 4'),
        (dict(cameras=IDENTITY * math.nan), 'NaN'),
        (dict(intrinsics=torch.tensor([[-4.0, 4, 4]])), 'focal length -4'),
        (dict(intrinsics=torch.ones(2, 3)), 'intrinsics .2, 3'),
        (dict(cameras=IDENTITY.long()), 'cameras have dtype torch.int64'),
        (dict(image_size=0), 'image_size is 0'),
        (dict(samples=5), 'samples is 5'),
        (dict(near=0.0), 'near is 0.0'),
    ],
)
def test_bad_cameras(arguments, message):
    settings = dict(cameras=IDENTITY, intrinsics=pinhole(8), image_size=8)
    with pytest.raises(ValueError, match=message):
        rasterize_mesh(*SQUARE, **{**settings, **arguments})
