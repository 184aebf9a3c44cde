import numpy as np

from pcdet_kd.datasets.synthetic.containers import bag, bin_, box_, pillow


def draw(builder, count=60):
    return [builder(np.random.default_rng(i)) for i in range(count)]


def extent(solids):
    vertices = np.concatenate([s.vertices for s in solids])
    return np.ptp(vertices, axis=0)


def test_bags_have_handles_above_or_behind_their_body():
    for solids in draw(bag):
        handles = [s for s in solids if s.part == 'handle']
        body = next(s for s in solids if s.part == 'body')
        assert handles and any(
            h.vertices[:, 1].max() > body.vertices[:, 1].max() - 0.05 for h in handles
        )


def test_bins_are_round_or_square_with_or_without_a_lid():
    corners, lids = set(), set()
    for solids in draw(bin_):
        body = solids[0].vertices
        corners.add(
            len(np.unique(np.round(body[body[:, 1] < 1e-9][:, [0, 2]], 6), axis=0)) - 1 == 4
        )
        lids.add(any(s.part == 'lid' for s in solids))
    assert corners == lids == {True, False}


def test_boxes_open_and_closed():
    flaps = {sum(s.part == 'flap' for s in solids) for solids in draw(box_)}
    assert {0, 3, 4} <= flaps


def test_pillows_lie_and_stand():
    flat = [e[1] < 0.6 * e[[0, 2]].max() for e in map(extent, draw(pillow))]
    assert 0.3 < np.mean(flat) < 0.95
    assert all(0.1 < e.max() < 1.0 for e in map(extent, draw(pillow)))
