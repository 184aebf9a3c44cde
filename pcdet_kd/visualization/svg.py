"""SVG elements as text, and colours that everyone can tell apart."""

from collections.abc import Sequence
from html import escape
from typing import Any

# Okabe and Ito's colours, in an order of falling contrast to white; markers and dashes tell the
# lines apart without them
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8a6d00', '#3d8bbd', '#000000')
DASHES = ('', '6 3', '2 2.5', '8 3 2 3', '1.5 3', '10 4', '4 2 1 2')
WIDTH = 720  # of a figure
LABEL = 150  # of the names at its left
MARKERS = ('circle', 'square', 'triangle', 'diamond', 'cross')

_BLUES = (
    (255, 255, 255),
    (222, 235, 247),
    (180, 210, 235),
    (120, 175, 218),
    (62, 131, 190),
    (24, 85, 150),
    (8, 42, 96),
)
_ORANGES = (
    (255, 255, 255),
    (253, 232, 212),
    (250, 201, 153),
    (242, 158, 88),
    (214, 108, 30),
    (160, 70, 8),
    (102, 40, 0),
)


def element(name: str, content: str = '', **attributes: Any) -> str:
    """Return one element; an underscore in an attribute's name stands for a hyphen, None leaves the
    attribute out.
    """
    given = ''.join(
        f' {key.strip("_").replace("_", "-")}="{escape(number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f'<{name}{given}>{content}</{name}>' if content else f'<{name}{given}/>'


def number(value: Any) -> str:
    """Return a value as text, numbers with at most two decimals."""
    if isinstance(value, float):
        return f'{value:.2f}'.rstrip('0').rstrip('.') if value == value else '0'
    return str(value)


def text(x: float, y: float, content: str, anchor: str = 'start', **attributes: Any) -> str:
    """Return a line of text whose middle is at height y."""
    return element(
        'text',
        escape(content),
        x=float(x),
        y=float(y),
        dy='.35em',
        text_anchor=None if anchor == 'start' else anchor,
        **attributes,
    )


def line(x1: float, y1: float, x2: float, y2: float, **attributes: Any) -> str:
    """Return a straight line."""
    return element('line', x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), **attributes)


def polyline(points: Sequence[tuple[float, float]], **attributes: Any) -> str:
    """Return a line through points."""
    return element(
        'polyline',
        points=' '.join(f'{number(float(x))},{number(float(y))}' for x, y in points),
        fill='none',
        **attributes,
    )


def marker(
    x: float, y: float, kind: int, color: str, size: float = 3.2, hollow: bool = False
) -> str:
    """Return the marker of the ``kind``-th line."""
    common = dict(fill='#fff' if hollow else color, stroke=color, stroke_width=1.2)
    shape = MARKERS[kind % len(MARKERS)]
    if shape == 'circle':
        return element('circle', cx=float(x), cy=float(y), r=float(size), **common)
    if shape == 'square':
        side = 1.75 * size
        return element(
            'rect', x=x - side / 2, y=y - side / 2, width=float(side), height=float(side), **common
        )
    corners = {
        'triangle': ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
        'diamond': ((0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)),
    }.get(shape)
    if corners is None:
        return element(
            'path',
            d=f'M{number(x - size)} {number(y - size)}l{number(2 * size)} {number(2 * size)}'
            f'm0 {number(-2 * size)}l{number(-2 * size)} {number(2 * size)}',
            stroke=color,
            stroke_width=1.6,
            fill='none',
        )
    return element(
        'polygon',
        points=' '.join(f'{number(x + size * a)},{number(y + size * b)}' for a, b in corners),
        **common,
    )


def svg(width: float, height: float, content: Sequence[str], title: str) -> str:
    """Return an image that scales with the page; a screen reader reads ``title``."""
    return (
        f'<svg viewBox="0 0 {number(float(width))} {number(float(height))}" role="img" '
        f'aria-label="{escape(title)}">\n' + '\n'.join(content) + '\n</svg>'
    )


def shade(share: float) -> str:
    """Return a blue for 0 (white) to 1 (dark); in grey the order is the same."""
    return _between(_BLUES, share)


def shade_signed(value: float) -> str:
    """Return a blue for 0 to 1 and an orange for 0 to -1."""
    return _between(_BLUES if value >= 0 else _ORANGES, 0.85 * abs(value))


def ink(color: str) -> str:
    """Return black or white, whichever is legible on a colour."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return (
        '#ffffff'
        if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.19
        else '#111111'
    )


def _between(stops: Sequence[tuple[int, int, int]], share: float) -> str:
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    part = place - index
    return '#' + ''.join(
        f'{round(a + (b - a) * part):02x}' for a, b in zip(stops[index], stops[index + 1])
    )
