"""Dots on lines: the drop of each class, and differences with their intervals."""

from collections.abc import Mapping
from typing import Any

from pcdet_kd.robustness.report.tables import pretty, signed
from pcdet_kd.visualization.svg import COLORS, LABEL, WIDTH, line, marker, svg, text


def class_drops(model: Mapping[str, Any]) -> str:
    """A row per class, largest drop first: recall on the clean set (hollow) and mean over the
    corrupted sets (filled).
    """
    rows = sorted(model['per_class'], key=lambda c: (c['corrupted'] - (c['clean'] or 0), c['name']))
    step, top, right = 15.5, 42, 74
    span = WIDTH - LABEL - right

    def place(value: float) -> float:
        return LABEL + span * value / 100

    bottom = top + step * len(rows)
    out = (
        [
            marker(LABEL + 4, 8, 0, COLORS[0], 3.4, hollow=True),
            text(LABEL + 12, 8, 'clean'),
            marker(LABEL + 64, 8, 0, COLORS[0], 3.4),
            text(LABEL + 72, 8, 'corrupted, mean of all sets'),
            text(WIDTH, 8, 'drop, points', 'end', class_='dim'),
        ]
        if rows[0]['clean'] is not None
        else []
    )
    for tick in range(0, 101, 20):
        x, percent = place(tick), f'{tick}' + (' %' if tick == 100 else '')
        out += [
            line(x, top - 6, x, bottom - 4, stroke='#e8e8e8', stroke_width=0.7),
            text(x, top - 13, percent, 'middle', class_='dim'),
        ]
    for i, entry in enumerate(rows):
        y, x = top + step * i + 4, place(entry['corrupted'])
        out.append(text(LABEL - 10, y, f'{pretty(entry["name"])} ({entry["n"]})', 'end'))
        if entry['clean'] is not None:
            clean = place(entry['clean'])
            out += [
                line(x, y, clean, y, stroke=COLORS[0], stroke_width=1.6),
                marker(clean, y, 0, COLORS[0], 3.2, hollow=True),
                text(WIDTH, y, signed(entry['corrupted'] - entry['clean']), 'end'),
            ]
        out.append(marker(x, y, 0, COLORS[0], 3.2))
    return svg(
        WIDTH, bottom + 2, out, f'Recall of each class of {model["name"]}, clean and corrupted'
    )


def differences(comparison: Mapping[str, Any], level: float) -> str:
    """A row per corruption and one for the mean: the difference of two models with its interval."""
    rows = [*comparison['corruptions'].items(), ('mean of all', comparison['OA'])]
    rows += [('clean', comparison['clean'])] if 'clean' in comparison else []
    step, top, right = 19.0, 22, 92
    limit = max(1.0, max(abs(v) for _, triple in rows for v in triple) * 1.04)
    unit = next(u for u in (0.5, 1, 2, 5, 10, 20, 50) if limit / u <= 5)
    span = WIDTH - LABEL - right

    def place(value: float) -> float:
        return LABEL + span * (value + limit) / (2 * limit)

    bottom = top + step * len(rows) + (8 if rows else 0)
    out = []
    for i in range(-int(limit / unit), int(limit / unit) + 1):
        x = place(i * unit)
        rule = (
            dict(stroke='#e8e8e8', stroke_width=0.7) if i else dict(stroke='#777', stroke_width=0.9)
        )
        out += [
            line(x, top - 8, x, bottom, **rule),
            text(x, 7, signed(i * unit, 1 if unit < 1 else 0), 'middle', class_='dim'),
        ]
    for i, (name, (value, low, high)) in enumerate(rows):
        strong, clear = i >= len(comparison['corruptions']), not low <= 0 <= high
        y = top + step * i + 6 + (8 if strong else 0)
        color = COLORS[0] if value >= 0 else COLORS[1]
        out += [
            text(LABEL - 10, y, pretty(name), 'end', class_='strong' if strong else None),
            line(place(low), y, place(high), y, stroke=color, stroke_width=2.4 if strong else 1.6),
            marker(place(value), y, 0, color, 3.8 if strong else 3.2, hollow=not clear),
            text(WIDTH, y, signed(value), 'end', class_='strong' if clear else 'dim'),
        ]
    return svg(
        WIDTH,
        bottom + 6,
        out,
        f'{comparison["model"]} minus {comparison["reference"]}, with {100 * level:.0f} % intervals',  # noqa: E501
    )
