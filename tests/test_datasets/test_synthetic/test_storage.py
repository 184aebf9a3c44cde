import numpy as np
import pytest

from pcdet_kd.datasets.synthetic.storage import cabinet, fronts, legs, shelf


def draw(builder, count=60):
    return [builder(np.random.default_rng(i)) for i in range(count)]


def test_legs_stand_under_the_corners():
    for i in range(20):
        four = legs('leg', 2, 1, 0.7, 0.03, np.random.default_rng(i))
        assert len(four) == 4
        assert max(s.vertices[:, 1].max() for s in four) == pytest.approx(0.7, abs=0.03)
        assert sorted(
            (np.sign(s.vertices[:, 0].mean()), np.sign(s.vertices[:, 2].mean())) for s in four
        ) == [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def test_fronts_fill_their_rectangle_and_stand_proud():
    for i in range(30):
        solids = fronts(1.0, 1.2, (0, 0.3, 0.2), np.random.default_rng(i), sunk=0.05)
        panels = np.concatenate([s.vertices for s in solids if s.part == 'front'])
        assert panels[:, 1].min() >= 0.3 and panels[:, 1].max() <= 1.5 + 1e-9
        assert (
            np.ptp(panels[:, 1]) > 1.1
            and panels[:, 2].max() > 0.21
            and panels[:, 2].min() < 0.15 + 1e-9
        )


def test_fronts_of_another_part_have_handles_of_that_part():
    for i in range(10):
        assert {s.part for s in fronts(1, 1, (0, 0, 0), np.random.default_rng(i), 'drawer')} == {
            'drawer'
        }
        assert {
            s.part for s in fronts(1, 1, (0, 0, 0), np.random.default_rng(i), handles=False)
        } == {'front'}


def test_cabinets_have_their_fronts_in_front():
    seen = set()
    for solids in draw(cabinet):
        body = np.concatenate([s.vertices for s in solids if s.part == 'body'])
        front = np.concatenate([s.vertices for s in solids if s.part == 'front'])
        assert front[:, 2].max() > np.median(body[:, 2])
        seen |= {s.part for s in solids}
    assert seen == {'body', 'front', 'handle', 'leg'}


def test_shelves_have_several_boards_one_above_the_other():
    counts = set()
    for solids in draw(shelf):
        levels = sorted(s.vertices[:, 1].min() for s in solids if s.part == 'board')
        counts.add(len(levels))
        assert len(levels) >= 2 and min(np.diff(levels)) > 0.04
    assert len(counts) >= 4
