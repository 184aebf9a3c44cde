"""The figures of a report: heat maps, curves, classes and differences. Each is one SVG that is
legible without colour.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pcdet_kd.robustness.report.svg import (
    COLORS,
    DASHES,
    element,
    ink,
    line,
    marker,
    polyline,
    shade,
    shade_signed,
    svg,
    text,
)
from pcdet_kd.robustness.report.tables import pretty, signed

WIDTH = 720
RULE = '#d9d9d9'
_LABEL = 150  # width of the names at the left


def accuracy_map(report: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Heat map of one model: corruption by severity, the accuracy in each cell."""
    values = {
        c['name']: [model['sets'][c['name']][str(s)]['oa'] for s in report['severities']]
        for c in report['corruptions']
    }
    means = {name: model['corruptions'][name]['oa']['mean'] for name in values}
    return _map(
        report,
        values,
        means,
        lambda v: shade((100 - v) / 100),
        '{:.1f}'.format,
        f'Accuracy of {model["name"]} by corruption and severity',
        [100 - 12.5 * i for i in range(9)],
        '{:.0f} %'.format,
    )


def difference_map(
    report: Mapping[str, Any], model: Mapping[str, Any], reference: Mapping[str, Any]
) -> str:
    """Heat map of the difference of two models, in points."""
    values = {
        c['name']: [
            model['sets'][c['name']][str(s)]['oa'] - reference['sets'][c['name']][str(s)]['oa']
            for s in report['severities']
        ]
        for c in report['corruptions']
    }
    means = {name: sum(row) / len(row) for name, row in values.items()}
    limit = max(5.0, 5 * math.ceil(max(abs(v) for row in values.values() for v in row) / 5))
    return _map(
        report,
        values,
        means,
        lambda v: shade_signed(v / limit),
        signed,
        f'{model["name"]} minus {reference["name"]} by corruption and severity',
        [limit * (4 - i) / 4 for i in range(9)],
        lambda v: signed(v, 1 if limit < 20 else 0),
    )


def _map(
    report: Mapping[str, Any],
    values: Mapping[str, Sequence[float]],
    means: Mapping[str, float],
    color: Any,
    show: Any,
    title: str,
    legend: Sequence[float],
    show_legend: Any,
) -> str:
    cell, height, top = 72, 23, 24
    columns = len(report['severities'])
    out = [
        text(_LABEL + cell * (j + 0.5), 10, f'{s}', 'middle', class_='dim')
        for j, s in enumerate(report['severities'])
    ]
    out += [
        text(_LABEL - 8, 10, 'severity', 'end', class_='dim'),
        text(_LABEL + cell * columns + 10 + cell / 2, 10, 'mean', 'middle', class_='dim'),
    ]
    y, group = float(top), None
    grouped = _contiguous([c['group'] for c in report['corruptions']])
    for entry in report['corruptions']:
        if grouped and group is not None and entry['group'] != group:
            y += 7
        group = entry['group']
        name = entry['name']
        out.append(
            text(
                _LABEL - 8,
                y + height / 2,
                pretty(name) + ('*' if name in report['views'] else ''),
                'end',
            )
        )
        places = [_LABEL + cell * j for j in range(columns)] + [_LABEL + cell * columns + 10]
        for x, value in zip(places, [*values[name], means[name]]):
            fill = color(value)
            out.append(
                element(
                    'rect',
                    x=float(x),
                    y=y,
                    width=cell,
                    height=height,
                    fill=fill,
                    stroke='#fff',
                    stroke_width=1,
                )
            )
            out.append(text(x + cell / 2, y + height / 2, show(value), 'middle', fill=ink(fill)))
        y += height
    out.append(
        element(
            'rect', x=_LABEL, y=top, width=cell * columns, height=y - top, fill='none', stroke=RULE
        )
    )
    out.append(
        element(
            'rect',
            x=_LABEL + cell * columns + 10,
            y=top,
            width=cell,
            height=y - top,
            fill='none',
            stroke=RULE,
        )
    )
    x, step = WIDTH - 42, (y - top) / len(legend)
    for i, value in enumerate(legend):
        out.append(
            element(
                'rect', x=x - 26, y=top + i * step, width=14, height=step + 0.3, fill=color(value)
            )
        )
        if i % 2 == 0:
            out.append(text(x - 7, top + (i + 0.5) * step, show_legend(value), class_='dim'))
    out.append(element('rect', x=x - 26, y=top, width=14, height=y - top, fill='none', stroke=RULE))
    return svg(WIDTH, y + 4, out, title)


def _contiguous(groups: Sequence[str]) -> bool:
    """Whether equal groups stand together, so that gaps between them mean something."""
    return sum(a != b for a, b in pairwise(groups)) == len(set(groups)) - 1


def curves(report: Mapping[str, Any]) -> str:
    """A small panel per corruption: accuracy over severity, a line per model, its clean accuracy as
    a thin rule.
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

        out.append(
            text(
                x,
                y - 12,
                pretty(entry['name']) + ('*' if entry['name'] in report['views'] else ''),
                class_='strong',
            )
        )
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
            if model['clean']:
                height = place(severities[0], model['clean']['oa'])[1]
                out.append(
                    line(
                        x,
                        height,
                        x + wide,
                        height,
                        stroke=COLORS[i % len(COLORS)],
                        stroke_width=0.8,
                        stroke_dasharray='1 2',
                    )
                )
            points = [place(s, model['sets'][entry['name']][str(s)]['oa']) for s in severities]
            out.append(
                polyline(
                    points,
                    stroke=COLORS[i % len(COLORS)],
                    stroke_width=1.5,
                    stroke_dasharray=DASHES[i % len(DASHES)] or None,
                )
            )
            out += [marker(*point, i, COLORS[i % len(COLORS)], 2.6) for point in points]
    rows = -(-len(report['corruptions']) // columns)
    return svg(
        WIDTH,
        top + rows * (tall + 26 + head) + 2,
        out,
        'Accuracy over severity for each corruption',
    )


def _legend(models: Sequence[Mapping[str, Any]]) -> tuple[list[str], float]:
    """Return what tells the lines apart, and its height."""
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


def class_drops(model: Mapping[str, Any]) -> str:
    """A row per class, largest drop first: recall on the clean set (hollow) and mean over the
    corrupted sets (filled).
    """
    rows = sorted(model['per_class'], key=lambda c: (c['corrupted'] - (c['clean'] or 0), c['name']))
    step, top, right = 15.5, 42, 74
    span = WIDTH - _LABEL - right

    def place(value: float) -> float:
        return _LABEL + span * value / 100

    bottom = top + step * len(rows)
    out = (
        [
            marker(_LABEL + 4, 8, 0, COLORS[0], 3.4, hollow=True),
            text(_LABEL + 12, 8, 'clean'),
            marker(_LABEL + 64, 8, 0, COLORS[0], 3.4),
            text(_LABEL + 72, 8, 'corrupted, mean of all sets'),
            text(WIDTH, 8, 'drop, points', 'end', class_='dim'),
        ]
        if rows[0]['clean'] is not None
        else []
    )
    for tick in range(0, 101, 20):
        out.append(
            line(place(tick), top - 6, place(tick), bottom - 4, stroke='#e8e8e8', stroke_width=0.7)
        )
        out.append(
            text(
                place(tick),
                top - 13,
                f'{tick}' + (' %' if tick == 100 else ''),
                'middle',
                class_='dim',
            )
        )
    for i, entry in enumerate(rows):
        y = top + step * i + 4
        out.append(text(_LABEL - 10, y, f'{pretty(entry["name"])} ({entry["n"]})', 'end'))
        if entry['clean'] is not None:
            out.append(
                line(
                    place(entry['corrupted']),
                    y,
                    place(entry['clean']),
                    y,
                    stroke=COLORS[0],
                    stroke_width=1.6,
                )
            )
            out.append(marker(place(entry['clean']), y, 0, COLORS[0], 3.2, hollow=True))
            out.append(text(WIDTH, y, signed(entry['corrupted'] - entry['clean']), 'end'))
        out.append(marker(place(entry['corrupted']), y, 0, COLORS[0], 3.2))
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
    span = WIDTH - _LABEL - right

    def place(value: float) -> float:
        return _LABEL + span * (value + limit) / (2 * limit)

    bottom = top + step * len(rows) + (8 if rows else 0)
    out = []
    for i in range(-int(limit / unit), int(limit / unit) + 1):
        out.append(
            line(
                place(i * unit),
                top - 8,
                place(i * unit),
                bottom,
                stroke='#777' if i == 0 else '#e8e8e8',
                stroke_width=0.9 if i == 0 else 0.7,
            )
        )
        out.append(
            text(place(i * unit), 7, signed(i * unit, 1 if unit < 1 else 0), 'middle', class_='dim')
        )
    for i, (name, (value, low, high)) in enumerate(rows):
        y = top + step * i + 6 + (8 if i >= len(comparison['corruptions']) else 0)
        strong = i >= len(comparison['corruptions'])
        clear = not low <= 0 <= high
        color = COLORS[0] if value >= 0 else COLORS[1]
        out.append(text(_LABEL - 10, y, pretty(name), 'end', class_='strong' if strong else None))
        out.append(
            line(place(low), y, place(high), y, stroke=color, stroke_width=2.4 if strong else 1.6)
        )
        out.append(marker(place(value), y, 0, color, 3.8 if strong else 3.2, hollow=not clear))
        out.append(text(WIDTH, y, f'{signed(value)}', 'end', class_='strong' if clear else 'dim'))
    return svg(
        WIDTH,
        bottom + 6,
        out,
        f'{comparison["model"]} minus {comparison["reference"]}, with {100 * level:.0f} % intervals',  # noqa: E501
    )
