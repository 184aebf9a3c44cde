import re

import numpy as np
from matplotlib.image import imread

from pcdet_kd.visualization.stages import Browsed, Stage, stages_page, write_stages


def sample(scale=1.0):
    cloud = np.random.default_rng(0).uniform(-1, 1, (40, 3))
    stages = [
        Stage('as in the files', dict(points=cloud)),
        Stage('Scale(by=<2>)', dict(points=scale * cloud), ['Pack()']),
        Stage('Siamese()', dict(points=scale * cloud, points_2=cloud)),
    ]
    return Browsed('chair, no. 3 (train/3)', 'y', stages)


def points_of(html):
    return re.findall('data-points="(.*?)"', html)


def test_a_page():
    html = stages_page([sample(2), sample(2)], 'Samples', dict(seed=4))
    assert html.count('<section><h2>chair, no. 3 (train/3)</h2>') == 2
    assert html.count('<b>Siamese, points_2</b>') == 2 and '<b>Scale</b><br>by=&lt;2&gt;' in html
    assert 'then Pack: no change' in html and '<dd>4</dd>' in html
    assert html.count('data-group="row 0"') == html.count('data-group="row 1"') == 4
    files, scaled = points_of(html)[:2]
    assert files != scaled  # to one scale
    assert '40 points, ' in html and 'distinct' not in html
    given = sample()
    given.stages[0].clouds['points'][:15] = 0
    assert '40 points (26 distinct), ' in stages_page([given], 'Samples', {})


def test_clouds_of_very_different_sizes_have_scales_of_their_own():
    files, scaled, *_ = points_of(stages_page([sample(0.01)], 'Samples', {}))
    assert files == scaled


def test_files(tmp_path):
    title = write_stages([sample()], tmp_path / 'a.html', 'All samples', {}).read_text()
    assert '<h1>All samples</h1>' in title
    short = Browsed('lamp', 'y', sample().stages[:1])
    image = imread(write_stages([sample(), short], tmp_path / 'a.png', '', {}))[..., :3]
    ink = image.min(axis=2) < 0.9
    height, width = ink.shape
    lower = ink[height // 2 :]
    assert ink[: height // 2, width // 2 :].any() and lower[:, : width // 4].any()
    assert not lower[:, width // 3 :].any()  # a sample with fewer stages


def with_views(views):
    stages = [*sample().stages[:1], Stage('Project(num=4)', {}, ['Pack()'], dict(views=views))]
    return Browsed('lamp, no. 1 (train/1)', 'y', stages)


def test_views_are_a_strip():
    views = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 8), np.uint8)
    html = stages_page([with_views(views)], 'Samples', {})
    assert len(points_of(html)) == 1 and html.count('<img class="strip"') == 1
    assert '<b>Project</b><br>num=4' in html and '4 views, 8 × 8 pixels' in html
    assert 'then Pack: no change' in html and 'after Project(num=4)"' in html
    both = Stage('Both()', dict(points=np.eye(3)), views=dict(views=views))
    html = stages_page([Browsed('lamp', 'y', [both])], 'Samples', {})
    assert '<b>Both, points</b>' in html and '<b>Both, views</b>' in html


def test_an_image_with_views(tmp_path):
    red = np.zeros((4, 3, 8, 8), np.uint8)
    red[:, 0] = 255
    path = write_stages([with_views(red), sample()], tmp_path / 'a.png', '', {})
    image = imread(path)[..., :3]
    found = np.argwhere((image == (1, 0, 0)).all(axis=2))
    height, width = image.shape[:2]
    assert found[:, 0].max() < height / 2  # in the row of its sample
    assert np.ptp(found[:, 1]) > 0.6 * width  # three of four cells
    assert np.ptp(found[:, 1]) > 3 * np.ptp(found[:, 0])
