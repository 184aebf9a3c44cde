import numpy as np
import pytest

from pcdet_kd.visualization import draw_point_clouds, orthographic, point_clouds

CLOUD = np.random.default_rng(0).uniform(-1, 1, (50, 3)).astype(np.float32)


@pytest.mark.parametrize('up_axis', ['x', 'y', 'z'])
def test_projection_is_a_rotation_with_the_up_axis_up(up_axis):
    axes = orthographic(np.eye(3), up_axis)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)  # no mirror image
    up = axes['xyz'.index(up_axis)]
    assert (
        up[0] == pytest.approx(0) and up[1] == pytest.approx(np.cos(np.radians(20))) and up[2] > 0
    )


def test_seen_from_the_front_and_from_above():
    front = orthographic(np.array([[1.0, 2.0, 3.0]]), azimuth=0, elevation=0)
    np.testing.assert_allclose(front, [[2, 3, 1]], atol=1e-12)
    above = orthographic(np.array([[1.0, 2.0, 3.0]]), azimuth=0, elevation=90)
    np.testing.assert_allclose(above, [[2, -1, 3]], atol=1e-12)


@pytest.fixture
def figure(monkeypatch):
    drawn = []
    monkeypatch.setattr(point_clouds, 'save', lambda figure, path: drawn.append(figure) or path)
    return drawn


def test_near_points_are_drawn_last_in_equal_aspect(figure):
    draw_point_clouds([CLOUD, CLOUD[:1]], ['a\n(b)', ''], 'x.png', up_axis='y')
    first, second = figure[0].axes
    view = orthographic(CLOUD, 'y')
    np.testing.assert_allclose(first.collections[0].get_offsets(), view[np.argsort(view[:, 2]), :2])
    assert first.get_aspect() == 1 and np.ptp(first.get_xlim()) == pytest.approx(
        np.ptp(first.get_ylim())
    )
    assert first.get_title() == 'a\n(b)'
    assert len(second.collections[0].get_offsets()) == 1


def test_colour_is_height_or_given(figure):
    red = np.tile([1.0, 0.0, 0.0], (50, 1))
    draw_point_clouds([CLOUD, CLOUD], ['', ''], 'x.png', up_axis='z', colors=[None, red])
    by_height, given = (axes.collections[0].get_facecolors() for axes in figure[0].axes)
    order = np.argsort(orthographic(CLOUD)[:, 2])
    height = CLOUD[order, 2]
    assert (
        np.corrcoef(height, by_height[:, 2] - by_height[:, 1])[0, 1] < -0.9
    )  # viridis: from blue to green
    assert (given[:, 0] > given[:, 1] + 0.2).all()
    assert given[0, 1] > given[-1, 1]  # far points are hazy


def test_a_legend_names_colours(figure):
    names = {'seat': (1.0, 0.0, 0.0), 'leg': (0.0, 0.0, 1.0)}
    draw_point_clouds([CLOUD, CLOUD], ['', ''], 'x.png', legends=[names, None])
    first, second = figure[0].axes
    assert [text.get_text() for text in first.get_legend().get_texts()] == ['seat', 'leg']
    assert first.get_legend().legend_handles[1].get_color() == (0.0, 0.0, 1.0)
    assert second.get_legend() is None


def test_file(tmp_path):
    path = draw_point_clouds([CLOUD] * 7, ['t'] * 7, tmp_path / 'clouds.png')
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    'call, message',
    [
        (lambda: draw_point_clouds([], [], 'x.png'), '0 clouds'),
        (lambda: draw_point_clouds([CLOUD], ['a', 'b'], 'x.png'), '2 titles'),
        (lambda: orthographic(CLOUD, 'up'), "up_axis is 'up'"),
        (lambda: orthographic(CLOUD[:, :2]), r'shape \(50, 2\)'),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
