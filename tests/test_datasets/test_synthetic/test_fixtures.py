import numpy as np

from pcdet_kd.datasets.synthetic.fixtures import display, door, sink, toilet


def draw(builder, count=60):
    return [builder(np.random.default_rng(i)) for i in range(count)]


def extent(solids):
    return np.ptp(np.concatenate([s.vertices for s in solids]), axis=0)


def parts(solids):
    return {s.part for s in solids}


def test_displays_come_in_landscape_and_portrait_flat_and_deep():
    screens = np.array(
        [extent([s for s in solids if s.part == 'screen']) for solids in draw(display)]
    )
    assert (screens[:, 0] > screens[:, 1]).any() and (screens[:, 0] < screens[:, 1]).any()
    assert (screens[:, 2] < 0.15).any() and (screens[:, 2] > 0.25).any()


def test_doors_are_tall_and_thin_unless_they_are_ajar():
    sizes = np.array([extent(s) for s in draw(door)])
    assert (sizes[:, 1] > 1.8).all()
    assert (sizes[:, 2] < 0.3).mean() > 0.5 and (sizes[:, 2] > 0.3).any()
    assert any('frame' in parts(s) for s in draw(door)) and any(
        'frame' not in parts(s) for s in draw(door)
    )


def test_sinks_are_hollow_with_the_tap_above_the_rim():
    for solids in draw(sink):
        basin = next(s for s in solids if s.part == 'basin')
        tap = next(s for s in solids if s.part == 'tap')
        assert tap.vertices[:, 1].max() > basin.vertices[:, 1].max()
        y = basin.vertices[:, 1]
        assert y[-1] < y.max() - 0.3 * np.ptp(y)  # the inside's middle is well below the rim


def test_toilets_have_a_hollow_bowl_and_mostly_a_tank():
    tanks = []
    for solids in draw(toilet):
        y = solids[0].vertices[:, 1]
        assert solids[0].part == 'bowl' and y[-1] < y.max() - 0.3 * np.ptp(y)
        tanks.append('tank' in parts(solids))
    assert 0.5 < np.mean(tanks) < 1


def test_the_seat_leaves_the_bowl_open():
    for solids in draw(toilet, 20):
        seat = solids[1]
        assert (
            seat.part == 'lid'
            and np.hypot(*(seat.vertices - seat.vertices.mean(axis=0))[:, [0, 2]].T).min() > 0.08
        )
