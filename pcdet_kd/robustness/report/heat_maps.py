"""Heat maps: corruption by severity, with the number in each cell."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pcdet_kd.robustness.report.tables import pretty, signed
from pcdet_kd.visualization.svg import (
    LABEL,
    WIDTH,
    element,
    ink,
    shade,
    shade_signed,
    svg,
    text,
)

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
    mean = LABEL + cell * columns + 10  # where the means are
    out = [
        text(LABEL + cell * (j + 0.5), 10, f'{s}', 'middle', class_='dim')
        for j, s in enumerate(report['severities'])
    ]
    out += [
        text(LABEL - 8, 10, 'severity', 'end', class_='dim'),
        text(mean + cell / 2, 10, 'mean', 'middle', class_='dim'),
    ]
    y, groups = float(top), [entry['group'] for entry in report['corruptions']]
    changes = [a != b for a, b in pairwise([groups[0], *groups])]
    gap = 7 if sum(changes) == len(set(groups)) - 1 else 0  # if equal groups stand together
    for entry, change in zip(report['corruptions'], changes):
        y += gap if change else 0
        name, middle = entry['name'], y + height / 2
        title_of_row = pretty(name) + ('*' if name in report['views'] else '')
        out.append(text(LABEL - 8, middle, title_of_row, 'end'))
        places = [*(LABEL + cell * j for j in range(columns)), mean]
        for x, value in zip(places, [*values[name], means[name]]):
            fill = color(value)
            out += [
                _rect(float(x), y, cell, height, fill, stroke='#fff', stroke_width=1),
                text(x + cell / 2, middle, show(value), 'middle', fill=ink(fill)),
            ]
        y += height
    x, step = WIDTH - 42, (y - top) / len(legend)
    frames = [
        _rect(left, top, width, y - top, 'none', stroke=RULE)
        for left, width in ((LABEL, cell * columns), (mean, cell), (x - 26, 14))
    ]
    out += frames[:2]
    for i, value in enumerate(legend):
        out.append(_rect(x - 26, top + i * step, 14, step + 0.3, color(value)))
        if i % 2 == 0:
            out.append(text(x - 7, top + (i + 0.5) * step, show_legend(value), class_='dim'))
    return svg(WIDTH, y + 4, [*out, frames[2]], title)


def _rect(x: float, y: float, width: float, height: float, fill: str, **look: Any) -> str:
    return element('rect', x=x, y=y, width=width, height=height, fill=fill, **look)
