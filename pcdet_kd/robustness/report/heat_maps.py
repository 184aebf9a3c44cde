"""Heat maps: corruption by severity, with the number in each cell."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pcdet_kd.robustness.report.svg import (
    LABEL,
    WIDTH,
    element,
    ink,
    shade,
    shade_signed,
    svg,
    text,
)
from pcdet_kd.robustness.report.tables import pretty, signed

RULE = '#d9d9d9'


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
        text(LABEL + cell * (j + 0.5), 10, f'{s}', 'middle', class_='dim')
        for j, s in enumerate(report['severities'])
    ]
    out += [
        text(LABEL - 8, 10, 'severity', 'end', class_='dim'),
        text(LABEL + cell * columns + 10 + cell / 2, 10, 'mean', 'middle', class_='dim'),
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
                LABEL - 8,
                y + height / 2,
                pretty(name) + ('*' if name in report['views'] else ''),
                'end',
            )
        )
        places = [LABEL + cell * j for j in range(columns)] + [LABEL + cell * columns + 10]
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
            'rect', x=LABEL, y=top, width=cell * columns, height=y - top, fill='none', stroke=RULE
        )
    )
    out.append(
        element(
            'rect',
            x=LABEL + cell * columns + 10,
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
