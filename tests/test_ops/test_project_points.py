"""Golden values: SimpleView (Goyal et al., ICML 2021), PyTorch code."""

import math

import numpy as np
import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.ops.project_points import AXES, OVERLAPS, VIEWS, project_points


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


ANGLES = [
    (0, 0),
    (math.pi / 2, 0),
    (math.pi, 0),
    (3 * math.pi / 2, 0),
    (0, -math.pi / 2),
    (0, math.pi / 2),
]


def rotation(ax, ay, az):
    """Rx Ry Rz, for column vectors."""
    (cx, sx), (cy, sy), (cz, sz) = ((math.cos(a), math.sin(a)) for a in (ax, ay, az))
    return (
        np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    )


def reference(points, size, distance, footprint, rgb=None):
    """Pixel by pixel, in float64, from the Euler angles: images (6, 1 or 4, R, R)."""
    columns = 1 if rgb is None else 4
    weight_sum, value_sum = np.zeros((6, size, size)), np.zeros((6, columns, size, size))
    offsets = [-0.5] if footprint == 1 else list(range(-footprint // 2, footprint // 2))
    for view, (ax, ay) in enumerate(ANGLES):
        for i, p in enumerate(points):
            row_coordinate, column_coordinate, z = rotation(ax, ay, math.pi / 2) @ p
            z += distance
            if z < 0:
                continue
            r, c = ((v / (z + 1e-12) + 1) * size / 2 for v in (row_coordinate, column_coordinate))
            for dr in offsets:
                for dc in offsets:
                    y, x = math.ceil(r + dr), math.ceil(c + dc)
                    if 0 <= y < size and 0 <= x < size:
                        w = 1 / (z + 1e-12)
                        weight_sum[view, y, x] += w
                        value_sum[view, -1, y, x] += w * z
                        if rgb is not None:
                            value_sum[view, :3, y, x] += w * rgb[i]
    return np.where(
        weight_sum[:, None] > 0, value_sum / np.where(weight_sum > 0, weight_sum, 1)[:, None], 0
    )


def test_axes_are_the_published_rotations():
    for (ax, ay), view in zip(ANGLES, VIEWS):
        expected = [
            [(1 if name[0] == '+' else -1) * (axis == name[1]) for axis in AXES] for name in view
        ]
        np.testing.assert_allclose(rotation(ax, ay, math.pi / 2), expected, atol=1e-15)


def test_autocast_does_not_round_the_coordinates():
    points = torch.randn(2, 50, 3) / 3
    expected = project_points(points)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(project_points(points), expected)


def test_point_at_the_origin_is_in_the_middle_of_all_views():
    images = project_points(torch.zeros(1, 1, 3))
    assert images.shape == (1, 6, 1, 128, 128) and images.dtype == torch.float32
    expected = torch.zeros(1, 6, 1, 128, 128)
    expected[..., 64, 64] = 1.4
    torch.testing.assert_close(images, expected)


def test_two_points_on_a_pixel_give_the_harmonic_mean():
    points = torch.tensor([[[0, 0, 0.2], [0, 0, -0.3]]])  # depths 1.6 and 1.1 in view 1
    value = project_points(points)[0, 0, 0, 64, 64].item()
    assert value == pytest.approx(2 * 1.6 * 1.1 / 2.7) and value == pytest.approx(1.3037, abs=1e-4)


def test_up_is_up():
    images = project_points(torch.tensor([[[0, 0.5, 0]]]))[0, :, 0]
    places = [tuple(torch.nonzero(image)[0].tolist()) for image in images]
    assert places == [(41, 64)] * 4 + [(64, 64)] * 2
    assert images[4, 64, 64].item() == pytest.approx(0.9) and images[
        5, 64, 64
    ].item() == pytest.approx(1.9)


@pytest.mark.parametrize('footprint', [1, 2, 4])
def test_equals_reference(footprint):
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (2, 60, 3)) * [
        1,
        1.3,
        1.6,
    ]  # some leave the image, some are behind a camera
    rgb = rng.uniform(0, 1, (2, 60, 3))
    images = project_points(
        torch.tensor(points), torch.tensor(rgb), image_size=16, footprint=footprint
    )
    assert images.dtype == torch.float64
    for cloud, colors, image in zip(points, rgb, images):
        np.testing.assert_allclose(
            image, reference(cloud, 16, 1.4, footprint, colors), rtol=0, atol=1e-12
        )
    depth = project_points(torch.tensor(points), image_size=16, footprint=footprint)
    torch.testing.assert_close(depth, images[:, :, 3:], rtol=0, atol=1e-14)


def test_points_behind_the_camera_or_outside_vanish():
    images = project_points(torch.tensor([[[0, 0, -1.5], [0, 1.2, 0]]]))[0, :, 0]
    assert images[0].count_nonzero() == 1  # only the second: the first lies behind camera 1
    assert project_points(torch.tensor([[[0, 1.5, 0]]]))[0, :4].count_nonzero() == 0


def test_half_a_pixel_rounds_down():
    # view 1, R = 4: column = (x / 1.4 + 1) * 2 = 2.5
    image = project_points(torch.tensor([[[0.35, 0, 0]]], dtype=torch.float64), image_size=4)[
        0, 0, 0
    ]
    assert torch.nonzero(image).tolist() == [[2, 2]]


def test_other_up_axes_give_the_same_images():
    points = torch.randn(2, 30, 3) * 0.3
    expected = project_points(points, up_axis='y')
    assert torch.equal(project_points(points.roll(1, 2), up_axis='z'), expected)
    assert torch.equal(project_points(points.roll(-1, 2), up_axis='x'), expected)


def test_gradient_flows_to_depths_and_colours():
    points = (torch.randn(1, 8, 3, dtype=torch.float64) * 0.3).requires_grad_()
    rgb = torch.rand(1, 8, 3, dtype=torch.float64, requires_grad=True)
    project_points(points, rgb, image_size=8).square().sum().backward()
    assert points.grad.isfinite().all() and points.grad.abs().sum() > 0 and rgb.grad.abs().sum() > 0
    # view 1 alone sees one point: d(depth)/dz = 1, and nothing for the coordinates across
    points = torch.tensor([[[0.1, 0.2, 0.3]]], dtype=torch.float64, requires_grad=True)
    project_points(points, num_views=1).sum().backward()
    torch.testing.assert_close(points.grad, torch.tensor([[[0.0, 0.0, 1.0]]], dtype=torch.float64))


def test_clouds_of_a_batch_do_not_mix():
    points = torch.randn(3, 25, 3) * 0.4
    together = project_points(points, image_size=32)
    for b in range(3):
        torch.testing.assert_close(together[b], project_points(points[b : b + 1], image_size=32)[0])


def test_the_nearest_point_takes_the_pixel():
    points = torch.tensor(
        [[[0.01, 0, 0.2], [0, 0.01, -0.3], [0, 0, -0.3]]]
    )  # depths 1.6, 1.1 and 1.1 in view 1
    rgb = torch.eye(3)[None]
    image = project_points(points, rgb, image_size=32, overlap='nearest')[0, 0]
    assert image[:, 16, 16].tolist() == pytest.approx(
        [0, 1, 0, 1.1]
    )  # of two at the same depth, the first
    assert image.count_nonzero() == 2
    alone = project_points(points[:, 1:2], rgb[:, 1:2], image_size=32)[0, 0]
    torch.testing.assert_close(image, alone)


@pytest.mark.parametrize('footprint', [1, 2])
def test_nearest_equals_a_z_buffer(footprint):
    points, rgb = (
        torch.randn(2, 80, 3, dtype=torch.float64) * 0.6,
        torch.rand(2, 80, 3, dtype=torch.float64),
    )
    images = project_points(points, rgb, image_size=12, footprint=footprint, overlap='nearest')
    expected = torch.zeros_like(images)
    for b in range(2):
        for i in range(80):
            single = project_points(
                points[b, i : i + 1][None],
                rgb[b, i : i + 1][None],
                image_size=12,
                footprint=footprint,
            )[0]
            nearer = (single[:, 3] > 0) & (
                (expected[b, :, 3] == 0) | (single[:, 3] < expected[b, :, 3])
            )
            expected[b] = torch.where(nearer[:, None], single, expected[b])
    torch.testing.assert_close(images, expected)
    depth = project_points(points, image_size=12, footprint=footprint, overlap='nearest')
    assert torch.equal(depth, images[:, :, 3:])


@pytest.mark.parametrize('overlap', OVERLAPS)
@pytest.mark.parametrize('color', [False, True])
@pytest.mark.parametrize(
    ('footprint', 'up_axis', 'num_views'), [(1, 'y', 6), (2, 'z', 3), (4, 'x', 6)]
)
def test_back_ends_give_the_same_bits(footprint, up_axis, num_views, color, overlap):
    points = torch.randn(4, 300, 3) * 0.6  # some leave the image, some are behind a camera
    points[0, 0] = torch.nan
    points[0, 1] = torch.inf
    points[0, 2, 0] = 1e30
    points[0, 3] = torch.tensor([0, 0, torch.inf])
    points[1, 5] = points[1, 6]
    points[2, :20] = torch.rand(20, 1) * torch.tensor([[0.7, 0.7, 1.4]]) - torch.tensor(
        [[0, 0, 1.4]]
    )  # depth near 0
    rgb = torch.rand(4, 300, 3) if color else None
    settings = dict(
        footprint=footprint,
        up_axis=up_axis,
        num_views=num_views,
        image_size=24,
        overlap=overlap,
    )
    with ops.use('torch'):
        expected = project_points(points, rgb, **settings)
    with ops.use('numba'):
        images = project_points(points, rgb, **settings)
    assert images.isfinite().all() and torch.equal(images, expected)
    assert images.flatten(1).any(1).all()


def test_gradients_do_not_depend_on_the_back_end():
    points, rgb = torch.randn(2, 30, 3) * 0.3, torch.rand(2, 30, 3)
    for overlap in OVERLAPS:
        gradients = []
        for name in ('torch', 'auto'):
            inputs = points.clone().requires_grad_(), rgb.clone().requires_grad_()
            with ops.use(name):
                images = project_points(*inputs, image_size=16, overlap=overlap)
            gradients.append(torch.autograd.grad(images.square().sum(), inputs))
            assert torch.equal(images, project_points(points, rgb, image_size=16, overlap=overlap))
        assert all(torch.equal(a, b) and a.any() for a, b in zip(*gradients))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_views=7), 'num_views is 7'),
        (dict(num_views=0), 'num_views is 0'),
        (dict(footprint=3), 'footprint is 3'),
        (dict(image_size=0), 'image_size is 0'),
        (dict(distance=0), 'distance is 0'),
        (dict(distance=float('nan')), 'distance is nan'),
        (dict(up_axis='up'), 'up_axis'),
        (dict(overlap='sum'), "overlap is 'sum'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        project_points(torch.zeros(1, 4, 3), **settings)


def test_wrong_shapes():
    with pytest.raises(ValueError, match='points has shape'):
        project_points(torch.zeros(4, 3))
    with pytest.raises(ValueError, match='rgb has shape'):
        project_points(torch.zeros(1, 4, 3), torch.zeros(1, 5, 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_gpu_equals_cpu():
    points = torch.randn(2, 500, 3) * 0.4
    torch.testing.assert_close(
        project_points(points.to('cuda')).cpu(), project_points(points), rtol=1e-5, atol=1e-5
    )
