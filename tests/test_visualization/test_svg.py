from xml.etree import ElementTree

import pytest

from pcdet_kd.visualization.svg import (
    COLORS,
    DASHES,
    MARKERS,
    element,
    ink,
    marker,
    number,
    shade,
    shade_signed,
    svg,
    text,
)


def luminance(color):
    return sum(w * int(color[i : i + 2], 16) for w, i in zip((0.2126, 0.7152, 0.0722), (1, 3, 5)))


def test_elements_are_escaped_xml():
    made = element('text', 'x', class_='dim', stroke_width=1.50001, title='a "<b>" & c', x=None)
    assert (
        made
        == '<text class="dim" stroke-width="1.5" title="a &quot;&lt;b&gt;&quot; &amp; c">x</text>'
    )
    assert 'tv &lt;b&gt;' in text(1, 2, 'tv <b>') and 'text-anchor="end"' in text(1, 2, 'a', 'end')
    picture = svg(10, 20, [text(0, 0, 'a & b')], 'what <is> it')
    assert (
        ElementTree.fromstring(picture).get('viewBox') == '0 0 10 20'
        and 'aria-label="what &lt;is&gt; it"' in picture
    )


@pytest.mark.parametrize(
    'value, shown',
    [(1.0, '1'), (0.126, '0.13'), (-2.5, '-2.5'), (float('nan'), '0'), (3, '3'), (100.0, '100')],
)
def test_numbers_are_short(value, shown):
    assert number(value) == shown


def test_darker_is_more_also_without_colour():
    shades = [luminance(shade(i / 20)) for i in range(21)]
    assert shades == sorted(shades, reverse=True) and shade(0) == '#ffffff' and shades[-1] < 60
    assert shade(-1) == shade(0) and shade(7) == shade(1)
    for sign in (1, -1):
        shades = [luminance(shade_signed(sign * i / 10)) for i in range(11)]
        assert shades == sorted(shades, reverse=True)
    assert shade_signed(0) == '#ffffff' and shade_signed(0.5) != shade_signed(-0.5)


def test_text_on_every_shade_is_legible():
    def contrast(a, b):
        def linear(color):
            parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
            return sum(
                w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
                for w, c in zip((0.2126, 0.7152, 0.0722), parts)
            )

        high, low = sorted((linear(a), linear(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for i in range(101):
        for color in (shade(i / 100), shade_signed(i / 50 - 1)):
            assert contrast(color, ink(color)) >= 4, color


def test_lines_differ_in_more_than_colour():
    kinds = {(DASHES[i], MARKERS[i % len(MARKERS)]) for i in range(len(COLORS))}
    assert len(kinds) == len(COLORS) == len(set(COLORS))
    shapes = {
        marker(5, 5, i, '#000').split()[0] + marker(5, 5, i, '#000')[-60:]
        for i in range(len(MARKERS))
    }
    assert len(shapes) == len(MARKERS)
    assert 'fill="#fff"' in marker(0, 0, 0, '#123456', hollow=True) and 'fill="#123456"' in marker(
        0, 0, 0, '#123456'
    )
