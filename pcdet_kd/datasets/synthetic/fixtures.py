"""Displays, doors, sinks and toilets."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import (
    Solid,
    bowl,
    box,
    cushion,
    cylinder,
    lathe,
    ring,
    tube,
)
from pcdet_kd.datasets.synthetic.shapes import pick, shape
from pcdet_kd.datasets.synthetic.storage import fronts


@shape('display')
def display(rng: np.random.Generator) -> list[Solid]:
    """Monitor on a stand, television on feet or on the wall, laptop-like screen, or a deep tube
    monitor.
    """
    kind = pick(
        rng, ('monitor', 4), ('television', 2.5), ('wall', 2), ('tube', 1.2), ('portrait', 0.7)
    )
    w = rng.uniform(0.4, 0.75) if kind in ('monitor', 'tube', 'portrait') else rng.uniform(0.7, 1.5)
    h = w / rng.choice([4 / 3, 16 / 10, 16 / 9, 21 / 9], p=[0.25, 0.25, 0.4, 0.1])
    if kind == 'portrait':
        w, h = h, w
    t = rng.uniform(0.02, 0.06)
    lift = rng.uniform(0.06, 0.2)
    if kind == 'tube':
        h, depth = w * rng.uniform(0.7, 0.85), w * rng.uniform(0.6, 0.95)
        neck = box('screen', (w, depth, h), top=(0.5, 0.5)).turned('x', -np.pi / 2)
        solids = [
            box('screen', (w * 1.04, h * 1.04, 0.06), (0, 0.05, 0)),
            neck.moved((0, 0.05 + h / 2, -0.03)),
        ]
        return [*solids, lathe('stand', [(w * 0.35, 0), (w * 0.3, 0.05)], (0, 0, -depth * 0.3))]
    screen = [box('screen', (w, h, t))]
    if rng.random() < 0.5:
        bulge = box('screen', (w * 0.7, rng.uniform(0.03, 0.07), h * 0.7), top=(0.6, 0.6)).turned(
            'x', -np.pi / 2
        )
        screen.append(bulge.moved((0, h / 2, -t / 2)))
    rim = rng.uniform(0.008, 0.02)
    if rng.random() < 0.5:
        screen += [
            box('screen', (a, b, 0.012), (x * (w - rim) / 2, y * h - b / 2, t / 2 + 0.004))
            for x, y, a, b in ((-1, 0.5, rim, h), (1, 0.5, rim, h), (0, 0, w, rim), (0, 1, w, rim))
        ]
    tilt = rng.normal(0, 0.08)
    if kind == 'wall':
        screen = [s.turned('x', abs(tilt)) for s in screen]
        return [*screen, box('stand', (w * 0.3, h * 0.3, 0.06), (0, h * 0.35, -t / 2 - 0.05))]
    solids = [s.turned('x', -tilt).moved((0, lift, 0)) for s in screen]
    if kind == 'television' and rng.random() < 0.6:
        for s in (-1, 1):
            foot = rng.uniform(0.1, 0.16)
            x = s * w * 0.35
            solids += [
                box('stand', (0.03, 0.02, foot * 2), (x, 0, 0)),
                box('stand', (0.02, lift + 0.03, 0.03), (x, 0, 0)),
            ]
        return solids
    foot = rng.uniform(0.12, 0.2) * (w / 0.5) ** 0.5
    if rng.random() < 0.5:
        solids.append(
            lathe('stand', [(foot, 0), (foot * 0.95, 0.015), (0.03, 0.03)], aspect=(1, 0.7))
        )
    else:
        solids.append(box('stand', (2 * foot, 0.018, foot * 1.3)))
    return [
        *solids,
        box('stand', (rng.uniform(0.04, 0.12), lift + h * 0.3, 0.03), (0, 0.01, -t / 2 - 0.02)),
    ]


@shape('door')
def door(rng: np.random.Generator) -> list[Solid]:
    """Single or double door, closed or ajar, with or without its frame, flat, panelled or
    glazed.
    """
    double = rng.random() < 0.15
    w, h, t = rng.uniform(0.65, 1.0), rng.uniform(1.85, 2.2), rng.uniform(0.03, 0.06)
    framed = rng.random() < 0.65
    kind = pick(rng, ('flat', 3), ('panelled', 3), ('glazed', 1.5))
    ajar = rng.uniform(0.2, 1.7) if rng.random() < 0.3 else 0
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    height, knob = rng.uniform(0.9, 1.1), rng.random() < 0.8
    solids = []
    for hinge in (-1, 1) if double else (int(rng.integers(2)) * 2 - 1,):
        if kind == 'glazed':
            bar = rng.uniform(0.1, 0.15)
            leaf = [
                *(box('leaf', (bar, h, t), (s * (w - bar) / 2, 0, 0)) for s in (-1, 1)),
                *(box('leaf', (w, bar, t), (0, y, 0)) for y in np.linspace(0, h - bar, rows + 1)),
                box('leaf', (w, h, t * 0.2)),
            ]
        else:
            leaf = [box('leaf', (w, h, t))]
        if kind == 'panelled':
            pw, ph, out = w * 0.8 / columns, h * 0.88 / rows, rng.uniform(0.012, 0.03)
            panel = box(
                'leaf',
                (pw * 0.82, ph * 0.82, t + 2 * out),
                (-pw * (columns - 1) / 2, h * 0.06 + ph * 0.09, 0),
            )
            leaf += [panel.moved((pw * i, ph * j, 0)) for i in range(columns) for j in range(rows)]
        if knob:
            for side in (-1, 1):
                grip = (
                    cylinder('handle', 0.025, 0.06, segments=8)
                    .turned('x', np.pi / 2)
                    .moved((0, 0, t / 2))
                )
                lever = box('handle', (0.13, 0.025, 0.02), (-0.05, -0.012, t / 2 + 0.05))
                leaf += [
                    Solid(
                        'handle',
                        s.vertices * (-hinge, 1, 1),
                        s.faces if hinge < 0 else s.faces[:, ::-1],
                    )
                    .turned('y', 0 if side > 0 else np.pi, (0, 0, 0))
                    .moved((-hinge * w * 0.42, height, 0))
                    for s in (grip, lever)
                ]
        centre = (hinge * w / 2) if double else 0
        solids += [
            s.turned('y', -hinge * ajar, (hinge * w / 2, 0, 0)).moved((centre, 0, 0)) for s in leaf
        ]
    if framed:
        full, bar, deep = w * (2 if double else 1), rng.uniform(0.05, 0.12), rng.uniform(0.08, 0.2)
        solids += [
            *(box('frame', (bar, h + bar, deep), (s * (full + bar) / 2, 0, 0)) for s in (-1, 1)),
            box('frame', (full + 2 * bar, bar, deep), (0, h, 0)),
        ]
    return solids


def _tap(
    height: float, reach: float, at: tuple[float, float, float], rng: np.random.Generator
) -> list[Solid]:
    bow = [(0, 0, 0), (0, 0.6, 0), (0, 0.9, 0.15), (0, 1, 0.5), (0, 0.92, 0.85), (0, 0.75, 1)]
    solids = [tube('tap', np.multiply(bow, (1, height, reach)) + at, 0.014, 6)]
    if rng.random() < 0.5:
        solids += [
            cylinder('tap', 0.02, 0.06, (at[0] + s * 0.09, at[1], at[2]), segments=8)
            for s in (-1, 1)
        ]
    return solids


@shape('sink')
def sink(rng: np.random.Generator) -> list[Solid]:
    """Pedestal or wall basin, vanity, bowl on a counter, or a kitchen sink with one or two basins
    and a drainer.
    """
    kind = pick(rng, ('pedestal', 3), ('wall', 2.5), ('vanity', 3), ('kitchen', 2), ('vessel', 1))
    r = rng.uniform(0.2, 0.32)
    deep = rng.uniform(0.12, 0.22)
    oval = rng.uniform(0.7, 1)
    if kind in ('pedestal', 'wall'):
        y = rng.uniform(0.6, 0.8) if kind == 'pedestal' else 0.0
        square = rng.choice([2.0, 3.0, 7.0])
        foot = rng.uniform(0.45, 0.85)
        solids = [
            bowl('basin', r, deep, (0, y, 0), foot, 0.035, 0.05, (1, oval), square, bulge=0.08)
        ]
        back = box(
            'counter',
            (2 * r * rng.uniform(0.7, 1), deep * 0.7, 0.1),
            (0, y + deep * 0.3, -r * oval - 0.02),
        )
        solids += [back, *_tap(rng.uniform(0.08, 0.2), 0.13, (0, y + deep, -r * oval + 0.01), rng)]
        if kind == 'pedestal':
            foot = rng.uniform(0.07, 0.11)
            solids.append(
                lathe(
                    'foot',
                    [
                        (foot * 1.35, 0),
                        (foot, y * 0.25),
                        (foot * 0.95, y * 0.7),
                        (foot * 1.4, y + 0.02),
                    ],
                    (0, 0, -r * oval * 0.3),
                )
            )
        elif rng.random() < 0.4:
            solids.append(
                tube(
                    'foot',
                    [(0, 0.03, 0), (0, -0.15, 0), (0, -0.17, -0.1), (0, -0.17, -r * oval)],
                    0.02,
                    6,
                )
            )
        return solids
    basins = 2 if kind == 'kitchen' and rng.random() < 0.4 else 1
    bw, bd = 2 * r, 2 * r * oval
    left, right = rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.3)
    front, back, t = rng.uniform(0.04, 0.1), rng.uniform(0.08, 0.14), rng.uniform(0.02, 0.06)
    inner = basins * bw + (basins - 1) * 0.04
    w, d = left + inner + right, front + bd + back
    tall = kind == 'vanity' or rng.random() < 0.45
    y = rng.uniform(0.65, 0.85) if tall else deep
    x0 = -w / 2 + left
    zc = (back - front) / 2
    solids = []
    if kind == 'vessel':
        solids.append(box('counter', (w, t, d), (0, y - t, 0)))
        square = rng.choice([2.0, 6.0])
        solids.append(
            bowl(
                'basin',
                r,
                deep,
                (x0 + r, y, zc),
                rng.uniform(0.4, 0.8),
                0.02,
                0.03,
                (1, oval),
                square,
                bulge=0.1,
            )
        )
    else:
        solids = [
            box('counter', (width, t, depth), (x, y - t, z))
            for width, depth, x, z in (
                (left, d, -w / 2 + left / 2, 0),
                (right, d, w / 2 - right / 2, 0),
                (inner, front, x0 + inner / 2, d / 2 - front / 2),
                (inner, back, x0 + inner / 2, -d / 2 + back / 2),
            )
        ]
        for i in range(basins):
            x = x0 + bw / 2 + i * (bw + 0.04)
            foot = rng.uniform(0.75, 0.95)
            solids.append(
                bowl(
                    'basin',
                    bw / 2,
                    deep,
                    (x, y - deep - 0.002, zc),
                    foot,
                    0.012,
                    0.015,
                    (1, oval),
                    segments=4,
                )
            )
            if i:
                solids.append(box('counter', (0.06, t, bd), (x - bw / 2 - 0.02, y - t, zc)))
    if tall:
        under = y - (t if kind == 'vessel' else deep)
        if rng.random() < 0.7:
            solids += [
                box('foot', (w * 0.97, y - t, 0.02), (0, 0, -d / 2 + 0.02)),
                *(box('foot', (0.02, y - t, d * 0.95), (s * w * 0.48, 0, 0)) for s in (-1, 1)),
                box('foot', (w * 0.96, y - t, 0.02), (0, 0, d / 2 - 0.04)),
                *fronts(w * 0.95, y - t, (0, 0, d / 2 - 0.03), rng, 'foot'),
            ]
        else:
            solids += [
                box('foot', (0.04, under, 0.04), (sx * w * 0.46, 0, sz * d * 0.44))
                for sx in (-1, 1)
                for sz in (-1, 1)
            ]
    solids += _tap(
        rng.uniform(0.15, 0.3),
        rng.uniform(0.14, 0.2),
        (x0 + inner / 2, y, -d / 2 + back * 0.5),
        rng,
    )
    if rng.random() < 0.3:
        solids.append(box('counter', (w, rng.uniform(0.08, 0.25), 0.02), (0, y, -d / 2 + 0.01)))
    return solids


@shape('toilet')
def toilet(rng: np.random.Generator) -> list[Solid]:
    """Close-coupled, wall-hung or high-tank toilet, lid up or down."""
    kind = pick(rng, ('coupled', 5), ('hung', 2), ('boxed', 2))
    r, long = rng.uniform(0.17, 0.21), rng.uniform(1.15, 1.45)
    h = rng.uniform(0.36, 0.45)
    square = rng.uniform(2, 3.2)
    deep = h * rng.uniform(0.55, 0.75) if kind == 'hung' else h
    solids = [
        bowl(
            'bowl',
            r,
            deep,
            (0, h - deep, 0),
            rng.uniform(0.4, 0.75),
            0.04,
            deep * 0.45,
            (1, long),
            square,
            bulge=0.06,
        ),
        ring('lid', r * 1.04, r * 0.72, 0.025, (0, h, 0), (1, long), square),
    ]
    rear = -r * long
    if kind != 'hung':
        width, depth = r * rng.uniform(0.8, 1.3), r * rng.uniform(0.9, 1.6)
        solids.append(box('foot', (width, h * 0.9, depth), (0, 0, rear * 0.55), top=(1.2, 1)))
    lid = cushion(
        'lid', (2 * r * 1.02, 0.03, 2 * r * long), roundness=8, squareness=square, rings=5
    )
    if rng.random() < 0.5:
        lid = lid.moved((0, h + 0.025, 0))
    else:
        lid = lid.turned('x', -rng.uniform(1.45, 1.75), (0, 0, rear)).moved((0, h + 0.03, 0.03))
    solids.append(lid)
    if kind == 'coupled':
        w, d, tall = rng.uniform(0.34, 0.48), rng.uniform(0.15, 0.22), rng.uniform(0.28, 0.42)
        z = rear - d / 2 + 0.02
        if rng.random() < 0.5:
            solids.append(
                box('tank', (w, tall, d), (0, h - 0.02, z), top=(rng.uniform(0.95, 1.1), 1))
            )
        else:
            solids.append(
                cushion('tank', (w, tall, d), (0, h - 0.02, z), roundness=10, squareness=6)
            )
        solids.append(box('tank', (w * 1.07, 0.035, d * 1.1), (0, h - 0.02 + tall, z)))
        if rng.random() < 0.6:
            solids.append(box('foot', (r * 1.2, h * 0.9, 0.18), (0, 0, rear * 0.9)))
    elif kind == 'boxed':
        w, tall = rng.uniform(0.4, 0.8), rng.uniform(0.8, 1.15)
        solids.append(box('tank', (w, tall, 0.16), (0, 0, rear - 0.06)))
    else:
        solids.append(box('foot', (r * 1.3, deep * 0.8, 0.12), (0, h - deep * 0.85, rear + 0.02)))
    return solids
