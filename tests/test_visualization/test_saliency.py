import base64
import re

import numpy as np
from matplotlib.image import imread

from pcdet_kd.visualization.saliency import (
    Dropped,
    SaliencyMap,
    palette,
    saliency_steps,
    write_saliency,
)


def test_the_middle_of_the_palette_is_zero():
    values = np.zeros(1000)
    values[:500] = np.linspace(0, 1, 500)
    values[0] = -0.5
    full = np.sort(np.abs(values))[int(0.98 * 999)]
    steps = saliency_steps(values)
    assert steps[-1] == 32 and steps.max() == 64
    assert steps[0] == round(32 * (1 - 0.5 / full))
    assert (saliency_steps(np.zeros(4)) == 32).all()
    colors = palette()
    assert len(colors) == 65 and colors.min() >= 0 and colors.max() <= 1
    assert np.ptp(colors[32]) == 0 and colors[64].argmax() == 0 and colors[0].argmax() == 2


def given():
    rng = np.random.default_rng(0)
    return SaliencyMap(
        name='scans/a.npy',
        points=rng.normal(size=(50, 3)),
        saliency=np.linspace(-1, 1, 50),
        label='chair <b>',
        score=0.81,
        salient=Dropped('table', 0.2),
        chance=Dropped('chair <b>', 0.75),
        share=0.1,
    )


def test_a_page(tmp_path):
    failed = [dict(name='b', reason='b.ply\n bad')]
    html = write_saliency([given()], tmp_path / 'a.html', 'y', failed, dict(model='m')).read_text()
    assert '<b>chair &lt;b&gt;</b> 81 %' in html and 'chair <b>' not in html
    assert 'without the 10 % most salient: 20 %, now table' in html
    assert 'without 10 % by chance: 75 %</figcaption>' in html
    assert 'not read: b.ply bad' in html and '<dd>m</dd>' in html
    values = base64.b64decode(re.search('data-values="(.*?)"', html).group(1))
    assert list(values) == list(saliency_steps(given().saliency))


def test_a_picture(tmp_path):
    image = imread(write_saliency([given()], tmp_path / 'a.png', 'z'))[..., :3]
    assert (image[..., 0] - image[..., 2] > 0.4).any() and (
        image[..., 2] - image[..., 0] > 0.4
    ).any()
