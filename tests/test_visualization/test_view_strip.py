import base64
import re

import cv2
import numpy as np
import pytest

from pcdet_kd.views.image_normalization import IMAGENET_MEAN, IMAGENET_STD
from pcdet_kd.visualization.view_strip import pixels, strip_image, view_strip


def views(count=4, channels=3, side=8):
    return np.random.default_rng(0).integers(0, 256, (count, channels, side, side), np.uint8)


def decoded(html):
    code = re.search('src="data:image/png;base64,(.*?)"', html)[1]
    return cv2.imdecode(np.frombuffer(base64.b64decode(code), np.uint8), 1)[..., ::-1]


def test_bytes_and_unit_numbers_are_shown_as_they_are():
    given = views()
    np.testing.assert_array_equal(pixels(given), given.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(pixels(given / np.float32(255)), pixels(given))
    grey = pixels(given[:, :1])
    np.testing.assert_array_equal(grey, np.repeat(given[:, :1], 3, 1).transpose(0, 2, 3, 1))


def test_other_numbers_fill_the_range_of_each_channel():
    grey = np.repeat(np.linspace(0, 1, 256).reshape(1, 1, 16, 16), 3, axis=1)
    mean, std = (np.reshape(a, (3, 1, 1)) for a in (IMAGENET_MEAN, IMAGENET_STD))
    np.testing.assert_array_equal(pixels((grey - mean) / std), pixels(grey))
    depth = np.zeros((2, 1, 4, 4))
    depth[0, 0, 0], depth[1, 0, 0] = 1.2, 2.4
    assert pixels(depth)[0, 0, 0, 0] == 128 and pixels(depth)[1].max() == 255
    assert not pixels(np.full((1, 1, 2, 2), 3.0)).any()  # all the same


def test_the_depth_of_a_colour_view_is_not_shown():
    given = views(channels=4)
    np.testing.assert_array_equal(pixels(given), pixels(given[:, :3]))


@pytest.mark.parametrize('shape', [(3, 8, 8), (2, 2, 8, 8)])
def test_what_is_no_view(shape):
    with pytest.raises(ValueError, match='expected'):
        pixels(np.zeros(shape))


def test_a_strip_has_ten_views_in_a_row():
    assert view_strip(views(3)).shape == (8, 3 * 8 + 2 * 2, 3)
    assert view_strip(views(11)).shape == (2 * 8 + 2, 10 * 8 + 9 * 2, 3)


def test_an_image_of_a_page_keeps_small_views_and_shrinks_large_ones():
    html = strip_image(views(3), 'a < b')
    assert 'alt="a &lt; b"' in html and f'width="{12 * 28}" height="{12 * 8}"' in html
    np.testing.assert_array_equal(decoded(html), view_strip(views(3)))
    assert decoded(strip_image(views(3, side=256), '')).shape == (128, 3 * 128 + 2 * 2, 3)
