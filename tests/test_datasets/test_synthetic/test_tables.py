import numpy as np

from pcdet_kd.datasets.synthetic.tables import desk, table


def draw(builder, count=80):
    return [builder(np.random.default_rng(i)) for i in range(count)]


def span(solids, part):
    vertices = np.concatenate([s.vertices for s in solids if s.part == part])
    return vertices.min(axis=0), vertices.max(axis=0)


def test_tops_are_on_top_of_legs_that_reach_them():
    for solids in draw(table):
        low, high = span(solids, 'top')
        legs = span(solids, 'leg')
        assert legs[0][1] < 0.05 and low[1] - 0.06 < legs[1][1] <= high[1] + 0.02


def test_tables_are_round_or_angular_high_or_low():
    heights = [span(s, 'top')[1][1] for s in draw(table)]
    assert min(heights) < 0.5 and max(heights) > 0.68
    corners = {len(s[0].vertices) for s in draw(table)}
    assert 8 in corners and len(corners) > 1


def test_desks_are_of_desk_height_and_most_have_drawers():
    desks = draw(desk)
    for solids in desks:
        assert 0.6 < span(solids, 'top')[1][1] < 0.85
    with_drawers = np.mean([any(p.part == 'drawer' for p in s) for s in desks])
    assert 0.5 < with_drawers < 1
    assert any(
        span(s, 'panel')[1][1] > 1 for s in desks if any(p.part == 'panel' for p in s)
    )  # a hutch
