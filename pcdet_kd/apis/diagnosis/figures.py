"""Figures of a diagnosis as SVG: reliability, recall per class, similarity of layers."""

from collections.abc import Mapping, Sequence
from typing import Any

from pcdet_kd.robustness.report.tables import pretty, signed
from pcdet_kd.visualization.svg import (
    COLORS,
    LABEL,
    WIDTH,
    element,
    ink,
    line,
    marker,
    polyline,
    shade,
    svg,
    text,
)

RULE = '#e8e8e8'


def reliability_diagrams(models: Sequence[Mapping[str, Any]]) -> str:
    """A square per model: accuracy against confidence, one bar per bin; the diagonal is perfect."""
    size, gap, top = 184.0, 52.0, 42.0
    per_row = int((WIDTH + gap) // (size + gap))
    out = []
    height = 0.0
    for i, model in enumerate(models):
        left, upper = 34 + (size + gap) * (i % per_row), top + (size + 86) * (i // per_row)
        bottom, height = upper + size, upper + size + 40
        width = size / len(model['bins'])
        out.append(text(left, upper - 28, model['name'], class_='strong'))
        out.append(text(left, upper - 13, f'ECE {model["ece"]:.1f} %', class_='dim'))
        for tick in range(0, 101, 25):
            y, x = bottom - size * tick / 100, left + size * tick / 100
            out += [
                line(left, y, left + size, y, stroke=RULE, stroke_width=0.7),
                text(left - 6, y, f'{tick}', 'end', class_='dim'),
                text(x, bottom + 10, f'{tick}', 'middle', class_='dim'),
            ]
        most = max(entry['count'] for entry in model['bins'])
        for b, entry in enumerate(model['bins']):
            if entry['count']:
                share = entry['count'] / most
                out.append(
                    element(
                        'rect',
                        x=float(left + b * width + 0.5),
                        y=float(bottom - size * entry['accuracy']),
                        width=float(width - 1),
                        height=float(size * entry['accuracy']),
                        fill=COLORS[0],
                        fill_opacity=round(0.25 + 0.65 * share, 2),
                    )
                )
        out += [
            line(left, bottom, left + size, upper, stroke='#777', stroke_dasharray='4 3'),
            text(left + size / 2, bottom + 26, 'confidence, %', 'middle', class_='dim'),
        ]
    return svg(WIDTH, height, out, 'Accuracy against confidence of each model')


def class_recalls(content: Mapping[str, Any]) -> str:
    """A row per class: the recall of each model; the largest change by distillation first."""
    models = content['models']
    student, before = models[-1], models[-2] if len(models) > 1 else models[-1]
    order = [i for i, n in enumerate(content['counts']) if n]
    order.sort(key=lambda i: (before['recalls'][i] - student['recalls'][i], i))
    step, top, right = 15.5, 46, 74
    span = WIDTH - LABEL - right

    def place(value: float) -> float:
        return LABEL + span * value / 100

    out, x = [], float(LABEL)
    for k, model in enumerate(models):
        out += [
            marker(x + 4, 8, k, COLORS[k % len(COLORS)], 3.4, hollow=model is not student),
            text(x + 12, 8, model['name']),
        ]
        x += 34 + 6.2 * len(model['name'])
    out.append(text(WIDTH, 8, 'change', 'end', class_='dim'))
    bottom = top + step * len(order)
    for tick in range(0, 101, 20):
        percent = f'{tick}' + (' %' if tick == 100 else '')
        out += [
            line(place(tick), top - 6, place(tick), bottom - 4, stroke=RULE, stroke_width=0.7),
            text(place(tick), top - 14, percent, 'middle', class_='dim'),
        ]
    for row, i in enumerate(order):
        y, change = top + step * row + 4, student['recalls'][i] - before['recalls'][i]
        label = f'{pretty(content["classes"][i])} ({content["counts"][i]})'
        ends = [(place(m['recalls'][i]), y) for m in (before, student)]
        out += [
            text(LABEL - 10, y, label, 'end'),
            polyline(ends, stroke=COLORS[0] if change >= 0 else COLORS[1], stroke_width=1.6),
            text(WIDTH, y, signed(change), 'end'),
        ]
        for k, model in enumerate(models):
            color = COLORS[k % len(COLORS)]
            out.append(
                marker(place(model['recalls'][i]), y, k, color, 3.2, hollow=model is not student)
            )
    return svg(WIDTH, bottom + 4, out, 'Recall of each class, by model')


def similarity_map(entry: Mapping[str, Any]) -> str:
    """A teacher's layers by the student's: linear CKA in each cell."""
    cell, height, top = min(78.0, (WIDTH - LABEL) / len(entry['columns'])), 25.0, 26.0
    out = [
        text(LABEL + cell * (j + 0.5), 12, name, 'middle', class_='dim')
        for j, name in enumerate(entry['columns'])
    ]
    for i, (name, values) in enumerate(zip(entry['rows'], entry['values'])):
        y = top + height * i
        out.append(text(LABEL - 8, y + height / 2, name, 'end'))
        for j, value in enumerate(values):
            fill = shade(value or 0.0)
            shown = '–' if value is None else f'{value:.2f}'
            x = float(LABEL + cell * j)
            out += [
                element('rect', x=x, y=y, width=cell, height=height, fill=fill, stroke='#fff'),
                text(x + cell / 2, y + height / 2, shown, 'middle', fill=ink(fill)),
            ]
    bottom = top + height * len(entry['rows']) + 4
    return svg(WIDTH, bottom, out, f'Similarity of layers of {entry["teacher"]} and the student')
