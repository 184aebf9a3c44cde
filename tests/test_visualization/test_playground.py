import base64
import json
import re

import numpy as np

from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.visualization.playground import Played, Version, playground_page
from pcdet_kd.visualization.viewer import frame_of, quantised

NAMES = list(SUITES['modelnet-c'].corruptions)


def played(name='</script><b>', scale=1.0):
    rng = np.random.default_rng(0)
    states = [('clean', 0), *((c, s) for c in NAMES for s in range(5))]
    return Played(
        name,
        [
            Version(
                corruption,
                severity,
                scale * (1 + severity) * rng.normal(size=(40 + severity, 3)),
                dict(
                    student=[('chair' if severity < 3 else 'sofa <i>', 0.6), ('bed', 0.1234)],
                    teacher=[('chair', 0.9), ('bed', 0.1)],
                ),
            )
            for corruption, severity in states
        ],
    )


def content_of(html):
    found = re.search('<script type="application/json" id="playground">(.*?)</script>', html)
    return json.loads(found.group(1))


def test_all_states_are_in_the_page():
    given = [played(), played('b.ply', 2)]
    html = playground_page(given, 'modelnet-c', dict(seed=3))
    content = content_of(html)
    assert content['models'] == ['student', 'teacher'] and content['severities'] == [0, 1, 2, 3, 4]
    assert content['kept'] == ['scale', 'jitter', 'rotate', 'add_global']
    assert [each['name'] for each in content['clouds']] == ['</script><b>', 'b.ply']
    states = content['clouds'][0]['states']
    assert list(states) == ['clean', *NAMES] and [len(states[n]) for n in states] == [1] + [5] * 7
    assert states['jitter'][3]['tops'][0] == [['sofa <i>', 0.6], ['bed', 0.123]]
    points = np.frombuffer(base64.b64decode(states['jitter'][3]['points']), '<i2').reshape(-1, 3)
    version = given[0].versions[1 + 5 + 3]
    scale = frame_of(*(v.points for v in given[0].versions))
    np.testing.assert_array_equal(points, quantised(version.points, 'y', scale))
    assert '&lt;/script&gt;' in html or ('&lt;b&gt;' in html and '<b>' not in html)


def test_in_a_browser(browser, tmp_path):
    file = tmp_path / 'play.html'
    file.write_text(playground_page([played('a.ply')], 'modelnet-c', {}), encoding='utf-8')
    seen = browser(file)
    assert seen.count('<button') == 2 * 7 * 5 and '<form class="play">' in seen
    assert seen.count('class="changed" data-name') == 7 * 2  # the student at severities 3 and 4
    assert '40 points</figcaption>' in seen
    assert 'title="add local 4: sofa &lt;i&gt;, 60 %"' in seen or 'add local 4: sofa <i>' in seen
    assert browser(file, 1000, 1000).min() < 0.5
