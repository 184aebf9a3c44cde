import pytest
import torch


def clouds(num_points, spread=0.6):
    points = (
        torch.randn(2, num_points, 3, generator=torch.Generator().manual_seed(num_points)) * spread
    )
    points[:, num_points // 2 :] = points[
        :, : num_points - num_points // 2
    ]  # every other point hides one
    return points, torch.rand(2, num_points, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize('nearest', [False, True], ids=['mean', 'nearest'])
@pytest.mark.parametrize('colours', [False, True], ids=['depth', 'rgb'])
@pytest.mark.parametrize('footprint, up_axis', [(1, 'y'), (2, 'z')])
def test_same_images(same, nearest, colours, footprint, up_axis, monkeypatch):
    from pcdet_kd.ops.gpu import projection

    monkeypatch.setattr(projection, 'BLOCK', 16)
    points, rgb = clouds(9)
    views = 6 if footprint == 1 else 2
    images = same(
        'project_points',
        points,
        rgb if colours else None,
        views,
        8,
        1.4,
        footprint,
        up_axis,
        nearest,
    )
    assert 0 < (images > 0).float().mean() < 0.9


@pytest.mark.parametrize('nearest', [False, True], ids=['mean', 'nearest'])
@pytest.mark.filterwarnings('ignore:overflow', 'ignore:invalid', 'ignore:divide')
def test_points_that_are_not_seen(same, nearest):
    points, rgb = clouds(6, spread=0.3)
    points[0, 0, 0], points[0, 1, 1], points[0, 2, 2], points[1, 0] = (
        torch.nan,
        torch.inf,
        -torch.inf,
        1e30,
    )
    points[1, 1] = -1.4  # in the place of a camera
    points[1, 2] = 50.0
    images = same('project_points', points, rgb, 3, 9, 1.4, 1, 'y', nearest)
    assert images.isfinite().all()


def test_one_point(same):
    image = same('project_points', torch.zeros(1, 1, 3), None, 6, 3, 2.0, 1, 'x', False)
    assert image.count_nonzero() == 6 and image.max() == 2.0
