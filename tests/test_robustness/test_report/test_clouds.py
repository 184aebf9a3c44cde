import base64
import re
from html.parser import HTMLParser

import numpy as np

from pcdet_kd.robustness.report.clouds import cloud_tiles


def entry(points, **options):
    return dict(
        dict(
            points=points, corruption='add_global', severity=3, gt=0, pred=1, score=0.978, sample=42
        ),
        **options,
    )


def test_words():
    given = [entry(np.random.default_rng(0).normal(size=(50, 3)))]
    html = cloud_tiles(given, ['night_stand', 'tv <x>'], 'y')
    words = '<b>add global 3</b><br>night stand, no. 42<br>→ tv &lt;x&gt; 98 %'
    assert words in html and 'tv <x>' not in html
    labels = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: labels.append(dict(attrs).get('aria-label'))
    parser.feed(html)
    assert 'add global 3: night stand, no. 42 → tv <x> 98 %' in labels


def test_each_cloud_is_there_and_large_ones_are_thinned():
    clouds = [np.random.default_rng(i).uniform(-1, 1, (n, 3)) for i, n in enumerate((1, 4, 4000))]
    html = cloud_tiles([entry(cloud) for cloud in clouds], ['a', 'b'], 'y')
    sizes = [len(base64.b64decode(text)) / 6 for text in re.findall('data-points="(.*?)"', html)]
    assert sizes == [1, 4, 1334]  # every third
    assert html.count('<figure class="tile">') == 3
