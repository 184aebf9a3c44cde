import numpy as np

from pcdet_kd.datasets.synthetic.seating import bed, chair, sofa


def draw(builder, count=60):
    return [builder(np.random.default_rng(i)) for i in range(count)]


def span(solids, part=None):
    vertices = np.concatenate([s.vertices for s in solids if part in (None, s.part)])
    return vertices.min(axis=0), vertices.max(axis=0)


def parts(solids):
    return {s.part for s in solids}


def test_chairs_with_and_without_arms_and_backs():
    kinds = [parts(s) for s in draw(chair)]
    for part in ('arm', 'back'):
        assert any(part in k for k in kinds) and any(part not in k for k in kinds)
    for solids in draw(chair):
        assert span(solids, 'seat')[1][1] < 0.62
        if 'back' in parts(solids):
            low, high = span(solids, 'back')
            assert (
                high[1] > span(solids, 'seat')[1][1] and (low + high)[2] < 0
            )  # above the seat, at its rear


def test_sofas_are_wider_than_chairs_and_have_their_back_behind():
    widths = [np.ptp(span(s), axis=0)[0] for s in draw(sofa)]
    assert min(widths) > 0.5 and max(widths) > 2
    assert all(span(s, 'back')[1][1] > span(s, 'seat')[1][1] for s in draw(sofa))
    assert any('arm' in parts(s) for s in draw(sofa)) and any(
        'arm' not in parts(s) for s in draw(sofa)
    )


def test_beds_are_long_and_some_have_boards_and_two_storeys():
    beds = draw(bed, 120)
    sizes = np.array([np.ptp(span(s), axis=0) for s in beds])
    assert (sizes[:, 2] > 1.7).all() and sizes[:, 1].max() > 1.3
    assert 0.5 < np.mean(['board' in parts(s) for s in beds]) < 0.98
    assert sum(sum(p.part == 'mattress' for p in s) == 2 for s in beds) >= 3
