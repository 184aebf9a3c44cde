import base64
import re

import numpy as np
import pytest

from pcdet_kd.visualization import draw_parts, part_colors, point_clouds
from pcdet_kd.visualization.parts import PALETTE, UNLABELLED


def test_a_part_has_the_colour_of_its_place_in_the_class():
    found = part_colors(np.array([12, 14, -1, 13, 3]), (12, 13, 14))
    expected = [PALETTE[0], PALETTE[2], UNLABELLED, PALETTE[1], UNLABELLED]
    np.testing.assert_array_equal(found, expected)
    assert len(set(PALETTE)) == len(PALETTE) >= 6  # a motorbike has six parts


@pytest.fixture
def figure(monkeypatch):
    drawn = []
    monkeypatch.setattr(point_clouds, 'save', lambda figure, path: drawn.append(figure) or path)
    return drawn


def test_truth_and_prediction_stand_side_by_side(figure):
    rng = np.random.default_rng(0)
    clouds = [rng.normal(size=(n, 3)) for n in (20, 30)]
    true = [np.full(20, 1), np.full(30, 2)]
    predicted = [np.array([1, 2] * 10), np.full(30, 3)]
    names = ('bag/body', 'bag/handle', 'bag/pocket', 'chair/seat')
    draw_parts(
        clouds,
        true,
        predicted,
        [(1, 2), (2, 3)],
        names,
        [('a', 'b'), ('c', 'd')],
        'x.png',
        up_axis='y',
    )
    axes = figure[0].axes
    assert [ax.get_title() for ax in axes] == ['a', 'b', 'c', 'd']
    legends = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in axes]
    assert legends == [['handle'], ['handle', 'pocket'], ['pocket'], ['seat']]
    assert [len(ax.collections[0].get_offsets()) for ax in axes] == [20, 20, 30, 30]
    np.testing.assert_array_equal(
        axes[0].collections[0].get_offsets(), axes[1].collections[0].get_offsets()
    )
    shown = axes[1].collections[0].get_facecolors()[:, :3]
    assert len(np.unique(shown[:, 0] > shown[:, 2])) == 2  # two parts, two colours


def test_a_page_of_pairs(tmp_path):
    cloud, true = np.random.default_rng(0).normal(size=(4, 3)), np.array([1, 2, -1, 2])
    args = ([(1, 2)], ('bag/body', 'bag/handle', 'bag/<x>'), [('bag: truth', 'guess')])
    path = draw_parts([cloud], [true], [np.ones(4, int)], *args, tmp_path / 'p.html')
    html = path.read_text()
    assert html.count('data-group="pair 0"') == 2
    values = [list(base64.b64decode(v)) for v in re.findall('data-values="(.*?)"', html)]
    assert values == [[1, 2, 0, 2], [1, 1, 1, 1]]  # grey is the first colour of the palette
    assert re.search('data-palette="(.*?)"', html).group(1).split()[:2] == ['#bfbfbf', '#0073b2']
    assert '<b>bag: truth</b>' in html and '</span> &lt;x&gt;</span>' in html
