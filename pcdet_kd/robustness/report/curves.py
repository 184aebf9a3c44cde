"""Curves: accuracy over severity, a small panel for each corruption."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pcdet_kd.robustness.report.tables import pretty
from pcdet_kd.visualization.svg import (
    COLORS,
    DASHES,
    WIDTH,
    line,
    marker,
    polyline,
    svg,
    text,
)


def curves(report: Mapping[str, Any]) -> str:
    """A small panel per corruption: accuracy over severity, a line per model, its clean accuracy as
    a thin line.
    """
    columns, gap, wide, tall, left, head = 5, 12, 126.0, 92.0, 30, 30
    severities = report['severities']
    models = report['models']
    lowest = min(
        found['oa']
        for model in models
        for sets in model['sets'].values()
        for found in sets.values()
    )
    floor = max(0, min(80, 20 * math.floor(lowest / 20)))
    ticks = range(floor, 101, 20 if floor < 80 else 5)
    out, top = _legend(models)
    for number, entry in enumerate(report['corruptions']):
        x = left + (number % columns) * (wide + gap)
        y = top + (number // columns) * (tall + 26 + head) + 20

        def place(severity: int, value: float, x: float = x, y: float = y) -> tuple[float, float]:
            share = severities.index(severity) / max(1, len(severities) - 1)
            return x + 8 + share * (wide - 16), y + (100 - value) / (100 - floor) * tall

        title = pretty(entry['name']) + ('*' if entry['name'] in report['views'] else '')
        out.append(text(x, y - 12, title, class_='strong'))
        for tick in ticks:
            height = place(severities[0], tick)[1]
            out.append(line(x, height, x + wide, height, stroke='#e8e8e8', stroke_width=0.7))
            if number % columns == 0:
                out.append(text(x - 5, height, str(tick), 'end', class_='dim'))
        out += [
            text(place(s, floor)[0], y + tall + 10, str(s), 'middle', class_='dim')
            for s in severities
        ]
        for i, model in enumerate(models):
            color, dash = COLORS[i % len(COLORS)], DASHES[i % len(DASHES)] or None
            if model['clean']:
                height = place(severities[0], model['clean']['oa'])[1]
                look = dict(stroke=color, stroke_width=0.8, stroke_dasharray='1 2')
                out.append(line(x, height, x + wide, height, **look))
            points = [place(s, model['sets'][entry['name']][str(s)]['oa']) for s in severities]
            out += [
                polyline(points, stroke=color, stroke_width=1.5, stroke_dasharray=dash),
                *(marker(*point, i, color, 2.6) for point in points),
            ]
    rows = -(-len(report['corruptions']) // columns)
    return svg(
        WIDTH,
        top + rows * (tall + 26 + head) + 2,
        out,
        'Accuracy over severity for each corruption',
    )


def _legend(models: Sequence[Mapping[str, Any]]) -> tuple[list[str], float]:
    """Return the legend and its height."""
    entries = [
        (m['name'], COLORS[i % len(COLORS)], 1.5, DASHES[i % len(DASHES)], i)
        for i, m in enumerate(models)
    ]
    entries = entries if len(models) > 1 else []
    if models[0]['clean']:
        entries.append(('clean', '#555', 0.8, '1 2', None))
    out, x, y = [], 30.0, 10.0
    for name, color, width, dash, kind in entries:
        wide = 52 + 6.4 * len(name)
        if x + wide > WIDTH and x > 30:
            x, y = 30.0, y + 18
        out.append(
            line(x, y, x + 26, y, stroke=color, stroke_width=width, stroke_dasharray=dash or None)
        )
        out += [marker(x + 13, y, kind, color, 3)] if kind is not None else []
        out.append(text(x + 32, y, name))
        x += wide
    return out, y + 16 if entries else 4.0
