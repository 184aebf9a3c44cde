import numpy as np
import pytest

from pcdet_kd.datasets.synthetic.primitives import (
    arc,
    bowl,
    box,
    cushion,
    cylinder,
    lathe,
    ring,
    tube,
)


def volume(solid):
    a, b, c = np.moveaxis(solid.vertices[solid.faces], 1, 0)
    return (a * np.cross(b, c)).sum() / 6


def is_closed(solid):
    """Every edge is passed once in each direction."""
    edges = np.concatenate([solid.faces[:, [0, 1]], solid.faces[:, [1, 2]], solid.faces[:, [2, 0]]])
    forward, backward = {tuple(e) for e in edges}, {tuple(e[::-1]) for e in edges}
    return forward == backward and len(forward) == len(edges)


@pytest.mark.parametrize(
    'solid, expected, tolerance',
    [
        (box('a', (1, 2, 3)), 6, 1e-9),
        (
            box('a', (2, 3, 2), top=(0.5, 0.5)),
            7,
            1e-9,
        ),  # frustum of squares 2 and 1: 3 (4 + 1 + 2) / 3
        (cylinder('a', 1, 2, segments=400), 2 * np.pi, 1e-3),
        (cylinder('a', 1, 3, top=0.5, segments=400), 1.75 * np.pi, 1e-3),
        (lathe('a', [(1, 0), (1, 1)], segments=4, aspect=(1, 2)), 8, 1e-9),
        (bowl('a', 1, 1, foot=1, wall=0.1, segments=4), 4 - 0.9 * 1.8**2, 1e-9),
        (ring('a', 2, 1, 0.5, segments=400), 1.5 * np.pi, 1e-3),
        (
            cushion('a', (1, 1, 1), roundness=2, squareness=2, segments=200, rings=200),
            np.pi / 6,
            1e-2,
        ),
        (tube('a', [(0, 0, 0), (0, 0, 4)], 0.5, segments=400), np.pi, 1e-3),
        (tube('a', [(0, 0, 0), (2, 1, 0), (2, 3, 1)], 0.1), None, None),
        (tube('a', arc(2, 1), 0.1), None, None),
        (bowl('a', 0.3, 0.2, bulge=0.1, squareness=6), None, None),
    ],
)
def test_solids_are_closed_and_face_outwards(solid, expected, tolerance):
    assert is_closed(solid)
    if expected is None:
        assert volume(solid) > 0
    else:
        assert volume(solid) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize(
    'make',
    [
        lambda at: box('a', (1, 2, 3), at),
        lambda at: cylinder('a', 1, 2, at),
        lambda at: bowl('a', 1, 2, at),
        lambda at: cushion('a', (1, 2, 3), at),
        lambda at: ring('a', 2, 1, 2, at),
    ],
)
def test_at_is_the_middle_of_the_underside(make):
    vertices = make((10, 20, 30)).vertices
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    np.testing.assert_allclose([low[1], high[1]], [20, 22])
    np.testing.assert_allclose(((low + high) / 2)[[0, 2]], [10, 30], atol=1e-9)


def test_squareness_fills_the_square():
    assert volume(lathe('a', [(1, 0), (1, 1)], squareness=50, segments=200)) == pytest.approx(
        4, rel=0.01
    )
    assert volume(lathe('a', [(1, 0), (1, 1)], squareness=2, segments=200)) == pytest.approx(
        np.pi, rel=0.01
    )


def test_moves_leave_the_original_alone():
    solid = box('a', (1, 1, 1))
    before = solid.vertices.copy()
    np.testing.assert_allclose(
        solid.moved((1, 2, 3)).vertices - before, np.tile([1.0, 2, 3], (8, 1))
    )
    turned = solid.turned('z', np.pi / 2, about=(0.5, 0, 0))
    assert turned.vertices.min(axis=0) == pytest.approx((-0.5, -1, -0.5))
    np.testing.assert_array_equal(solid.vertices, before)


def test_arc_spans_its_width_and_height():
    path = arc(2, 3, 11)
    np.testing.assert_allclose(path[[0, 5, 10]], [(-1, 0, 0), (0, 3, 0), (1, 0, 0)], atol=1e-9)
