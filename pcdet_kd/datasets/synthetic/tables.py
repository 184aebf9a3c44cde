"""Tables and desks: both are tops on legs, and a plain desk is a table."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import Solid, box, cylinder, lathe, tube
from pcdet_kd.datasets.synthetic.shapes import pick, shape
from pcdet_kd.datasets.synthetic.storage import fronts, legs


def _trestles(
    part: str, width: float, depth: float, height: float, rng: np.random.Generator
) -> list[Solid]:
    """Two A or T supports with a rail between them."""
    x, bar = width * rng.uniform(0.3, 0.42), rng.uniform(0.03, 0.06)
    rail = tube(part, [(-x, height * 0.3, 0), (x, height * 0.3, 0)], bar * 0.5, 6)
    solids = [rail] if rng.random() < 0.7 else []
    spread = depth * rng.uniform(0.3, 0.45)
    for s in (-1, 1):
        if rng.random() < 0.5:
            solids += [
                box(part, (bar, height, bar * 1.6), (s * x, 0, 0)),
                box(part, (bar, 0.05, 2 * spread), (s * x, 0, 0)),
            ]
        else:
            solids += [
                tube(
                    part, [(s * x, 0, k * spread), (s * x, height, k * spread * 0.2)], bar * 0.6, 6
                )
                for k in (-1, 1)
            ]
    return solids


@shape('table')
def table(rng: np.random.Generator) -> list[Solid]:
    """Dining, coffee, side or console table: round, oval or rectangular, on four legs, a pedestal,
    trestles or panels.
    """
    kind = pick(rng, ('dining', 4), ('coffee', 3), ('side', 2), ('console', 1))
    w, d, h = {
        'dining': (rng.uniform(0.8, 2.0), rng.uniform(0.7, 1.0), rng.uniform(0.68, 0.8)),
        'coffee': (rng.uniform(0.6, 1.3), rng.uniform(0.5, 0.8), rng.uniform(0.3, 0.5)),
        'side': (rng.uniform(0.4, 0.65), rng.uniform(0.4, 0.6), rng.uniform(0.4, 0.75)),
        'console': (rng.uniform(0.8, 1.4), rng.uniform(0.3, 0.45), rng.uniform(0.65, 0.85)),
    }[kind]
    t = rng.uniform(0.018, 0.06)
    inner = 1.0
    rounded = kind != 'console' and rng.random() < 0.4
    if rounded:
        d = w = min(w, 1.3)
        d *= rng.uniform(0.6, 1) if rng.random() < 0.3 else 1
        inner = 0.72
        top = cylinder('top', 0.5, t, (0, h - t, 0), segments=28, aspect=(w, d))
    elif rng.random() < 0.25:
        inner = 0.9
        top = lathe(
            'top',
            [(0.5, 0), (0.5, t)],
            (0, h - t, 0),
            (w, d),
            squareness=rng.uniform(4, 8),
            segments=28,
        )
    else:
        top = box('top', (w, t, d), (0, h - t, 0))
    solids = [top]
    base = pick(
        rng,
        ('legs', 5),
        ('pedestal', 3 if rounded else 0.7),
        ('trestle', 0.2 if rounded else 1),
        ('panel', 0 if rounded else 0.8),
    )
    below = h - t
    if base == 'legs':
        inset = rng.uniform(0, 0.08) * min(w, d)
        solids += legs('leg', w * inner, d * inner, below, rng.uniform(0.015, 0.045), rng, inset)
        if rng.random() < 0.35:
            apron = rng.uniform(0.05, 0.12)
            solids.append(
                box('top', (w * inner * 0.88, apron, d * inner * 0.85), (0, below - apron, 0))
            )
    elif base == 'pedestal':
        r = rng.uniform(0.025, 0.08)
        solids.append(
            lathe(
                'leg',
                [
                    (r * 1.6, 0),
                    (r, below * 0.2),
                    (r * rng.uniform(0.8, 1.6), below * 0.6),
                    (r, below),
                ],
            )
        )
        if rng.random() < 0.5:
            solids.append(lathe('leg', [(0.3 * min(w, d), 0), (0.28 * min(w, d), 0.03), (r, 0.08)]))
        else:
            for i in range(int(rng.integers(3, 5))):
                foot = box('leg', (0.36 * min(w, d), 0.05, 0.05), (0.18 * min(w, d), 0, 0))
                solids.append(foot.turned('y', i * np.pi / 2 + 0.4))
    elif base == 'trestle':
        solids += _trestles('leg', w, d, below, rng)
    else:
        solids += [
            box('leg', (rng.uniform(0.02, 0.06), below, d * 0.9), (s * w * 0.45, 0, 0))
            for s in (-1, 1)
        ]
    if base in ('legs', 'panel') and rng.random() < (0.4 if kind != 'dining' else 0.08):
        solids.append(
            box(
                'board',
                (w * inner * 0.86, 0.02, d * inner * 0.86),
                (0, below * rng.uniform(0.15, 0.45), 0),
            )
        )
    if kind == 'console' and rng.random() < 0.4 and base != 'trestle':
        solids.append(box('board', (w * 0.9, 0.12, d * 0.85), (0, below - 0.12, 0)))
    return solids


@shape('desk')
def desk(rng: np.random.Generator) -> list[Solid]:
    """Writing desk with drawers on one or both sides, corner desk, panel desk, secretary with a
    hutch, or a plain top.
    """
    w, d, h = rng.uniform(1.0, 1.8), rng.uniform(0.5, 0.85), rng.uniform(0.68, 0.8)
    t = rng.uniform(0.02, 0.045)
    solids = [box('top', (w, t, d), (0, h - t, 0))]
    below = h - t
    kind = pick(rng, ('one', 4), ('two', 2.5), ('plain', 1.5), ('panel', 2))
    sides = {'one': (int(rng.integers(2)) * 2 - 1,), 'two': (-1, 1)}.get(kind, ())
    width = min(rng.uniform(0.3, 0.48), w * 0.34)
    for s in sides:
        short = rng.random() < 0.25
        height = below * rng.uniform(0.35, 0.6) if short else below
        x = s * (w / 2 - width / 2 - 0.02)
        solids.append(box('drawer', (width, height, d * 0.9), (x, below - height, 0)))
        solids += fronts(
            width, height, (x, below - height, d * 0.45), rng, 'drawer', handles=rng.random() < 0.6
        )
        if short:
            solids += [box('leg', (0.04, below, d * 0.8), (s * (w / 2 - 0.03), 0, 0))]
    for s in (-1, 1):
        if s not in sides:
            if kind == 'panel' or rng.random() < 0.35:
                solids.append(box('leg', (0.03, below, d * 0.92), (s * (w / 2 - 0.03), 0, 0)))
            else:
                r = rng.uniform(0.018, 0.035)
                solids += [
                    box('leg', (2 * r, below, 2 * r), (s * (w / 2 - 0.04), 0, k * (d / 2 - 0.05)))
                    for k in (-1, 1)
                ]
    if kind == 'plain':
        apron = rng.uniform(0.06, 0.14)
        solids.append(
            box('drawer', (w * rng.uniform(0.4, 0.9), apron, d * 0.8), (0, below - apron, 0))
        )
    if rng.random() < (0.75 if kind != 'plain' else 0.3):
        depth = below * rng.uniform(0.3, 0.95)
        solids.append(
            box('panel', (w * 0.94, depth, 0.02), (0, below - depth, -d * rng.uniform(0.3, 0.45)))
        )
    if rng.random() < 0.22:
        side = int(rng.integers(2)) * 2 - 1
        length = rng.uniform(0.5, 0.9)
        x = side * (w / 2 - d * 0.4)
        solids += [
            box('top', (d * 0.8, t, length), (x, h - t, d / 2 + length / 2)),
            box('leg', (d * 0.75, below, 0.03), (x, 0, d / 2 + length - 0.04)),
        ]
    if rng.random() < 0.25:
        rise, back = rng.uniform(0.25, 0.6), rng.uniform(0.2, 0.3)
        z = -d / 2 + back / 2
        solids += [
            *(box('panel', (0.02, rise, back), (s * (w / 2 - 0.01), h, z)) for s in (-1, 1)),
            box('panel', (w, 0.02, back), (0, h + rise, z)),
        ]
        if rng.random() < 0.6:
            solids.append(box('panel', (w, rise, 0.015), (0, h, -d / 2)))
        if rng.random() < 0.5:
            solids.append(box('panel', (w, 0.02, back), (0, h + rise * 0.5, z)))
    elif rng.random() < 0.15:
        solids.append(box('panel', (w, rng.uniform(0.2, 0.45), 0.03), (0, h, -d / 2 + 0.02)))
    return solids
