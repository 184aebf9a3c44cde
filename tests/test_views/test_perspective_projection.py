import pytest
import torch

from pcdet_kd.ops import project_points
from pcdet_kd.registry import MODELS
from pcdet_kd.views.perspective_projection import PerspectiveProjection, grey_from_depth


def test_module():
    points = torch.randn(2, 10, 6, generator=torch.Generator().manual_seed(0)).abs() * 0.3
    module = MODELS.build(dict(type='PerspectiveProjection', image_size=16))
    assert module(points).shape == (2, 6, 3, 16, 16) and not module.state_dict()
    depth = project_points(points[..., :3], image_size=16)
    assert torch.equal(module(points), depth.expand(-1, -1, 3, -1, -1))
    assert torch.equal(PerspectiveProjection(image_size=16, channels=1)(points), depth)
    full = project_points(points[..., :3], points[..., 3:], image_size=16)
    assert torch.equal(PerspectiveProjection(image_size=16, mode='color')(points), full[:, :, :3])
    assert torch.equal(PerspectiveProjection(image_size=16, mode='color', channels=4)(points), full)
    assert torch.equal(
        PerspectiveProjection(num_views=4, image_size=16)(points), module(points)[:, :4]
    )
    nearest = PerspectiveProjection(image_size=16, channels=1, overlap='nearest')(points)
    assert torch.equal(nearest, project_points(points[..., :3], image_size=16, overlap='nearest'))
    half = module(points.half())
    assert half.dtype == torch.float32


def test_grey_is_linear_in_the_depth():
    depth = torch.tensor([0, 0.1, 0.5, 1, 1.5, 2.5, 3], dtype=torch.float64)
    expected = [0, 1, 1, 1 - 0.75 * 0.25, 1 - 0.75 * 0.5, 0.25, 0.25]
    assert grey_from_depth(depth, 1.5).tolist() == pytest.approx(expected)
    points = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(0)) * 0.3
    for channels in (1, 3):
        images = PerspectiveProjection(image_size=16, distance=1.7, mode='grey', channels=channels)(
            points
        )
        drawn = project_points(points, image_size=16, distance=1.7)
        assert torch.equal(images, grey_from_depth(drawn, 1.7).expand(-1, -1, channels, -1, -1))
        assert (images > 0).sum() == channels * (drawn > 0).sum()


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(num_views=7), 'num_views is 7'),
        (dict(num_views=0), 'num_views is 0'),
        (dict(footprint=3), 'footprint is 3'),
        (dict(image_size=0), 'image_size is 0'),
        (dict(distance=0), 'distance is 0'),
        (dict(mode='rgb'), "mode is 'rgb'"),
        (dict(channels=2), "channels in mode 'depth' is 2"),
        (dict(mode='grey', channels=4), "channels in mode 'grey' is 4"),
        (dict(mode='color', channels=1), "channels in mode 'color' is 1"),
        (dict(up_axis='up'), 'up_axis'),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        PerspectiveProjection(**settings)


def test_wrong_shapes():
    with pytest.raises(ValueError, match='xyz and rgb'):
        PerspectiveProjection(mode='color')(torch.zeros(1, 4, 3))
