import re

import numpy as np
import pytest

from pcdet_kd.visualization import gallery as module
from pcdet_kd.visualization.gallery import gallery_page


def prediction(name, label, score, n=30):
    points = np.random.default_rng(0).normal(size=(n, 3))
    top = [(label, score), ('other <b>', 1 - score)]
    return {'name': name, 'class': label, 'score': score, 'top': top, 'points': points}


GIVEN = [
    prediction('scans/a.ply', 'chair', 0.9),
    prediction('scans/b.ply', 'table', 0.4),
    prediction('scans/c.ply', 'chair', 0.51),
]


def test_what_the_page_says():
    html = gallery_page(
        GIVEN, [dict(name='d', reason='d.ply\n  found: <nothing>')], {'model': 'm'}, 'y'
    )
    assert '3 clouds: 2 chair, 1 table. 1 unsure' in html and '1 file could not be read' in html
    assert '<li>d.ply found: &lt;nothing&gt;</li>' in html and '<dd>m</dd>' in html
    tiles = re.findall('<figure class="(.*?)" data-class="(.*?)">', html)
    assert tiles == [('tile', 'chair'), ('tile unsure', 'table'), ('tile', 'chair')]
    assert '>b.ply</span>' in html and 'title="scans/b.ply"' in html
    assert '<option value="chair">chair (2)</option>' in html
    assert 'other &lt;b&gt;' in html and 'other <b>' not in html
    assert re.findall(r'<td>(\d+) %</td>', html) == ['90', '10', '40', '60', '51', '49']


def test_the_least_sure_of_many(monkeypatch):
    monkeypatch.setattr(module, 'MOST', 2)
    html = gallery_page(GIVEN, [], {})
    assert re.findall('data-class="(.*?)"', html) == ['table', 'chair'] and '>a.ply<' not in html
    assert 'The 2 least sure of 3 clouds are shown.' in html


def test_a_large_cloud_is_thinned():
    html = gallery_page([prediction('a', 'chair', 0.9, 5000)], [], {})
    count = len(re.search('data-points="(.*?)"', html).group(1)) * 3 / 4 / 6
    assert count == pytest.approx(5000 / 3, abs=1)


def test_nothing_was_read():
    html = gallery_page([], [dict(name='d', reason='bad')], {})
    assert '0 clouds.' in html and '<script' not in html and '<form' not in html


def test_in_a_browser(browser, tmp_path):
    file = tmp_path / 'gallery.html'
    file.write_text(gallery_page(GIVEN, [], {}), encoding='utf-8')
    seen = browser(file)
    assert '<output>3 of 3 shown</output>' in seen and '<form class="filter">' in seen
