import math

import numpy as np
import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.registry import MODELS
from pcdet_kd.views.mesh_renderer import MeshRenderer, normalize_mesh

trimesh = pytest.importorskip('trimesh')
BOX = trimesh.creation.box((1, 2, 3))
BALL = trimesh.creation.icosphere(subdivisions=4)


def render(mesh, **settings):
    return MeshRenderer(**{'image_size': 64, **settings})(mesh.vertices, mesh.faces)


def test_shape_type_and_range():
    for rig, count in dict(dodecahedron=20, circle=12, orthogonal=6).items():
        renderer = MeshRenderer(rig, image_size=32)
        images = renderer(BOX.vertices, BOX.faces)
        assert (
            images.shape == (count, 1, 32, 32)
            and images.dtype == torch.float32
            and renderer.num_views == count
        )
        assert (
            images.min() >= 0.3
            and images.max() == 1
            and bool((images.flatten(1) < 0.95).any(1).all())
        )
    built = MODELS.build(dict(type='MeshRenderer', rig='circle', image_size=32, channels=3))
    assert not built.state_dict()
    assert torch.equal(
        built(BOX.vertices, BOX.faces),
        render(BOX, rig='circle', image_size=32).expand(-1, 3, -1, -1),
    )


def test_size_and_place_of_the_mesh_do_not_matter():
    moved = BOX.vertices * 250 + [1000, -300, 20]
    settings = dict(rig='circle', image_size=48)
    difference = (MeshRenderer(**settings)(moved, BOX.faces) - render(BOX, **settings)).abs()
    assert (difference > 1e-4).double().mean() < 1e-3
    extra = np.concatenate(
        [BOX.vertices, [[900, 0, 0], [math.nan, 0, 0]]]
    )  # no face refers to these
    assert torch.equal(MeshRenderer(**settings)(extra, BOX.faces), render(BOX, **settings))
    tensors = torch.tensor(np.array(BOX.vertices)), torch.tensor(np.array(BOX.faces))
    assert torch.equal(MeshRenderer(**settings)(*tensors), render(BOX, **settings))


def test_a_ball_in_the_sphere_framing():
    images = render(BALL, framing='sphere', fill=0.8, distance=4.0, samples=1, image_size=200)[:, 0]
    inside = images < 1
    assert inside.any(1).sum(1).float().mean().item() == pytest.approx(160, abs=2)
    assert inside.double().mean().item() == pytest.approx(math.pi * 0.4**2, rel=0.01)
    assert images[:, 100, 100].mean().item() == pytest.approx(
        0.9, abs=1e-3
    )  # ambient 0.3 and diffuse 0.6, seen head-on
    rim = images[0, 100, inside[0, 100].nonzero()[0, 0]].item()
    assert 0.3 <= rim < 0.45  # seen edge-on


def test_tight_framing_keeps_to_side_and_area():
    size = 200
    for image in render(BOX, samples=1, image_size=size)[:, 0]:
        inside = image < 1
        rows, columns = (inside.any(d).nonzero()[:, 0] for d in (1, 0))
        sides = [int(v[-1] - v[0] + 1) for v in (rows, columns)]
        area = inside.double().mean().item()
        assert max(sides) <= 0.9 * size + 1 and area <= 0.3 * 1.02
        assert max(sides) >= 0.9 * size - 2 or area >= 0.3 * 0.98  # one of the two limits is met
        for v in (rows, columns):
            assert abs((v[0] + v[-1] + 1) / 2 - size / 2) <= 1.5  # in the middle
    larger = render(BOX, samples=1, max_area=1.0)
    assert (larger < 1).double().mean() > (render(BOX, samples=1) < 1).double().mean() * 1.1


def test_up_is_up():
    cone = trimesh.creation.cone(radius=0.5, height=1)  # its tip is at +z
    for up_axis, shift in (('z', 0), ('y', -1), ('x', 1)):
        turned = np.roll(cone.vertices, shift, axis=1)
        images = MeshRenderer('circle', image_size=64, up_axis=up_axis)(turned, cone.faces)[:, 0]
        width = (images < 1).sum(2)
        assert bool((width[:, :24].sum(1) < width[:, 40:].sum(1)).all())
        torch.testing.assert_close(images, render(cone, rig='circle')[:, 0], rtol=0, atol=1e-3)


def test_pictures_are_not_mirrored():
    # seen from -y (the front), +x is on the right
    cloth = trimesh.creation.box((0.8, 0.1, 0.5))
    cloth.apply_translation((0.45, 0, 0.7))
    flag = trimesh.util.concatenate([trimesh.creation.box((0.1, 0.1, 2)), cloth])
    front = render(flag, rig='orthogonal', framing='sphere')[1, 0] < 1
    top = front[:24].any(0).nonzero()[:, 0]
    pole = front[44:].any(0).nonzero()[:, 0]
    assert top[-1] - pole[-1] > 8 and pole[0] - top[0] < 3


def test_back_ends_agree():
    with ops.use('torch'):
        expected = render(BOX, image_size=24)
    with ops.use('numba'):
        assert torch.equal(render(BOX, image_size=24), expected)


def test_normalize_mesh():
    vertices = np.array([[0, 0, 0], [4, 0, 0], [0, 2, 0], [9, 9, 9.0]])
    out = normalize_mesh(vertices, np.array([[0, 1, 2]]))
    radius = 5**0.5
    np.testing.assert_allclose(out[:3], np.array([[-2, -1, 0], [2, -1, 0], [-2, 1, 0]]) / radius)
    np.testing.assert_array_equal(vertices[0], 0)
    for face, message in [
        ([0, 1, 4], 'from 0 to 4'),
        ([-1, 1, 2], 'from -1 to 2'),
        ([1, 1, 1], 'no extent'),
    ]:
        with pytest.raises(ValueError, match=message):
            normalize_mesh(vertices, np.array([face]))
    with pytest.raises(ValueError, match='no faces'):
        normalize_mesh(vertices, np.zeros((0, 3), int))
    with pytest.raises(ValueError, match='NaN'):
        normalize_mesh(vertices * math.nan, np.array([[0, 1, 2]]))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(rig='ring'), "rig is 'ring'"),
        (dict(framing='loose'), "framing is 'loose'"),
        (dict(fill=0), 'fill is 0'),
        (dict(max_area=1.5), 'max_area is 1.5'),
        (dict(distance=1), 'distance is 1'),
        (dict(channels=2), 'channels is 2'),
        (dict(image_size=0), 'image_size is 0'),
        (dict(samples=9), 'samples is 9'),
        (dict(up_axis='up'), "up_axis is 'up'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        MeshRenderer(**settings)
