import base64
import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import pcdet_kd.visualization
from pcdet_kd.visualization.page import page
from pcdet_kd.visualization.point_clouds import orthographic
from pcdet_kd.visualization.viewer import (
    HELP,
    SCRIPT,
    STYLE,
    cloud_view,
    frame_of,
    quantised,
    still_dots,
)


def attribute(html, name):
    found = re.search(rf' data-{name}="(.*?)"', html)
    return found and unescape(found.group(1))


def decoded(html, name, kind):
    return np.frombuffer(base64.b64decode(attribute(html, name)), kind)


def cloud(n=60, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3)) * (3, 1, 0.5) + (5, 0, -2)


@pytest.mark.parametrize('up', 'xyz')
def test_points_are_kept_to_a_thirty_thousandth_of_the_radius(up):
    points = cloud()
    middle = (points.max(0) + points.min(0)) / 2
    radius = max(float(np.linalg.norm(p - middle)) for p in points)
    axes = {'z': [0, 1, 2], 'x': [1, 2, 0], 'y': [2, 0, 1]}[up]  # right-handed, height last
    found = quantised(points, up) / 32767 * radius + middle[axes]
    np.testing.assert_allclose(found, points[:, axes], atol=0.51 * radius / 32767)
    assert np.allclose(frame_of(points)[0], middle) and frame_of(points)[1] == radius


def test_one_frame_for_several_clouds():
    small, large = cloud(), 2 * cloud()
    frame = frame_of(small, large)
    assert np.abs(quantised(large, frame=frame)).max() > np.abs(quantised(small, frame=frame)).max()
    assert (quantised(small + 1000, frame=frame) == 32767).all()  # stays in the picture
    assert frame_of(np.zeros((3, 3)))[1] == 1 and (quantised(np.zeros((3, 3))) == 0).all()
    with pytest.raises(ValueError, match='up_axis'):
        quantised(small, 'w')


def test_the_elements_hold_points_and_values():
    points = cloud()
    html = cloud_view(points, 'a "tv" <b>', 'y', group='pair 1')
    np.testing.assert_array_equal(
        decoded(html, 'points', '<i2').reshape(-1, 3), quantised(points, 'y')
    )
    assert 'aria-label="a &quot;tv&quot; &lt;b&gt;"' in html and 'data-values' not in html
    assert attribute(html, 'group') == 'pair 1' and attribute(html, 'palette') is None
    shares = np.linspace(-0.5, 1.5, len(points))
    np.testing.assert_array_equal(
        decoded(cloud_view(points, '', values=shares), 'values', 'u1'),
        np.rint(255 * shares.clip(0, 1)),
    )
    parts = np.arange(60) % 2
    html = cloud_view(points, '', values=parts, palette=['#ff0000', '#0000ff'])
    np.testing.assert_array_equal(decoded(html, 'values', 'u1'), parts)
    assert attribute(html, 'palette') == '#ff0000 #0000ff'
    with pytest.raises(ValueError, match=r'values have shape \(5,\), expected \(60,\)'):
        cloud_view(points, '', values=np.zeros(5))


def test_a_still_picture_without_scripts():
    html = cloud_view(cloud(3000), 'chair')
    still = ElementTree.fromstring(re.search('<noscript>(.*)</noscript>', html, re.DOTALL).group(1))
    assert still.get('aria-label') == 'chair'
    assert sum(path.get('d').count('M') for path in still.iter() if path.get('d')) == 375
    assert ' hidden ' in html  # until the script shows it


def test_still_dots_are_few_and_inside():
    for count in (1, 4, 401):
        text = ''.join(still_dots(cloud(count), 'y', 100, 400))
        places = np.array(re.findall(r'M([-\d.]+) ([-\d.]+)h0', text), float)
        assert len(places) == (201 if count > 400 else count)
        assert places.min() >= 0 and places.max() <= 100


def places_of(paths):
    return [np.array(re.findall(r'M([-\d.]+) ([-\d.]+)h0', path), float) for path in paths]


def test_in_still_pictures_up_is_up_and_near_is_drawn_last():
    tall = np.zeros((10, 3))
    tall[:, 1] = np.arange(10)
    assert np.ptp(np.concatenate(places_of(still_dots(tall, 'y', 130, 99)))[:, 1]) > 50
    deep = np.zeros((10, 3))
    deep[:, 2] = np.arange(10)  # seen from z, y up: the last is the nearest, and lowest
    parts = places_of(still_dots(deep, 'y', 130, 99))
    assert len(parts) == 5 and parts[-1][:, 1].min() > parts[0][:, 1].max()


@pytest.mark.skipif(shutil.which('node') is None, reason='no node found')
def test_the_script_projects_as_pictures_do():
    script = Path(pcdet_kd.visualization.__file__).with_name(SCRIPT)
    views = [(35, 20), (-110, -80), (300, 0)]
    points = cloud(5)
    code = (
        f'const viewer = require({json.dumps(str(script))});'
        f'const views = {json.dumps(views)}, points = {json.dumps(points.tolist())};'
        'console.log(JSON.stringify([views.map(([azimuth, elevation]) => points.map((p) =>'
        ' viewer.project(...p, {azimuth, elevation}))), [0, 0.5, 1].map(viewer.ramp)]))'
    )
    done = subprocess.run(['node', '-e', code], capture_output=True, text=True, check=True)
    found, colors = json.loads(done.stdout)
    for (azimuth, elevation), places in zip(views, found):
        expected = orthographic(points, 'z', azimuth, elevation)
        np.testing.assert_allclose(places, expected, atol=1e-12)
    assert colors == [[68, 1, 84], [33, 145, 140], [253, 231, 37]]


@pytest.mark.skipif(shutil.which('node') is None, reason='no node found')
def test_mouse_touch_wheel_and_keys():
    events = Path(__file__).with_name('viewer_events.js')
    script = Path(pcdet_kd.visualization.__file__).with_name(SCRIPT)
    done = subprocess.run(['node', events, script], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    start = dict(azimuth=35, elevation=20, zoom=1)
    assert found['shown'] == [True] * 3
    assert found['dragged'] == found['partner'] == dict(azimuth=25, elevation=25, zoom=1)
    assert found['alone'] == start
    assert found['from_above'] == dict(azimuth=25, elevation=90, zoom=1)
    assert found['pinched'] == dict(azimuth=25, elevation=90, zoom=2)  # from 100 to 200 pixels
    assert found['released'] == found['pinched'] and found['reset'] == start
    assert found['wheel_scrolls'] and found['wheel_before_click'] == start
    assert found['wheel_zooms'] and found['wheel_after_click']['zoom'] == pytest.approx(
        1.1618, 1e-3
    )
    assert found['keys'] == [True, True, True, False]
    zoom = found['wheel_after_click']['zoom']
    assert found['keyed'] == dict(azimuth=43, elevation=12, zoom=pytest.approx(1.2 * zoom))
    assert found['color'] == [255, 128, 0]
    red, _, blue = found['nearest']  # drawn before the far point
    assert red > 250 and blue < 50


def test_in_a_browser(browser, tmp_path):
    """Two points, one red at the top and one blue at the bottom, and twenty further clouds."""
    pair = np.array([[0, 0, 1], [0, 0, -1]])
    colors = dict(values=np.array([0, 1]), palette=['#ff0000', '#0000ff'])
    views = [cloud_view(pair, 'two', **colors), *(cloud_view(cloud(), str(i)) for i in range(20))]
    tiles = ''.join(f'<figure class="tile">{view}</figure>' for view in views)
    file = tmp_path / 'clouds.html'
    body = [f'<p>{HELP}</p><div class="tiles">{tiles}</div>']
    file.write_text(page('clouds', body, [SCRIPT], [STYLE]), encoding='utf-8')
    seen = browser(file)
    assert not re.search('<canvas[^>]* hidden', seen) and seen.count('<noscript>') == 21
    image = browser(file, 800, 2000)
    red = np.argwhere((image[..., 0] - image[..., 1] > 0.4) & (image[..., 0] > image[..., 2] + 0.4))
    blue = np.argwhere((image[..., 2] - image[..., 0] > 0.5) & (image[..., 1] < 0.5))
    assert len(red) > 20 and red[:, 0].max() < np.median(blue[:, 0])
    assert np.ptp(red[:, 1]) < 30
    coloured = (np.ptp(image, axis=2) > 0.15).any(axis=1).nonzero()[0]
    assert coloured.max() > 5 * 183 and len(coloured) > 6 * 40  # in all of the six rows
