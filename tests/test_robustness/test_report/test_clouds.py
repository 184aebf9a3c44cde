import re
from xml.etree import ElementTree

import numpy as np

from pcdet_kd.robustness.report.clouds import cloud_grid


def entry(points, **options):
    return dict(
        dict(
            points=points, corruption='add_global', severity=3, gt=0, pred=1, score=0.978, sample=42
        ),
        **options,
    )


def dots(picture):
    """Positions of the dots by cloud, farthest depth first."""
    groups = ElementTree.fromstring(picture).iter('g')
    return [
        [
            np.array(re.findall(r'M([-\d.]+) ([-\d.]+)h0', path.get('d')), float)
            for path in group.iter('path')
        ]
        for group in groups
    ]


def test_words():
    picture = cloud_grid(
        [entry(np.random.default_rng(0).normal(size=(50, 3)))], ['night_stand', 'tv <x>'], 'y'
    )
    shown = [node.text for node in ElementTree.fromstring(picture).iter('text')]
    assert shown == ['add global 3', 'night stand, no. 42', '→ tv <x> 98 %']


def test_every_point_is_a_dot_within_its_cell():
    clouds = [np.random.default_rng(i).uniform(-1, 1, (n, 3)) for i, n in enumerate((1, 4, 700))]
    drawn = dots(cloud_grid([entry(cloud) for cloud in clouds], ['a', 'b'], 'y'))
    assert [sum(len(part) for part in parts) for parts in drawn] == [1, 4, 700]
    for parts in drawn:
        assert np.concatenate(parts).min() >= 0 and np.concatenate(parts).max() <= 720 / 5 - 14
    assert (
        sum(map(len, dots(cloud_grid([entry(np.zeros((4000, 3)))], ['a', 'b'], 'y'))[0])) == 1334
    )  # every third


def test_up_is_up_and_near_is_drawn_last():
    tall = np.zeros((10, 3))
    tall[:, 1] = np.arange(10)
    height = np.concatenate(dots(cloud_grid([entry(tall)], ['a', 'b'], 'y'))[0])[:, 1]
    assert np.ptp(height) > 50
    deep = np.zeros((10, 3))
    deep[:, 2] = np.arange(
        10
    )  # seen from z, with y up: the last point is the nearest and the lowest on the page
    parts = dots(cloud_grid([entry(deep)], ['a', 'b'], 'y'))[0]
    assert len(parts) == 5 and parts[-1][:, 1].min() > parts[0][:, 1].max()


def test_outliers_do_not_leave_the_picture():
    cloud = np.random.default_rng(0).normal(size=(100, 3))
    cloud[0] = 50
    drawn = np.concatenate(dots(cloud_grid([entry(cloud)], ['a', 'b'], 'z'))[0])
    assert drawn.min() >= 0 and drawn.max() <= 130
