"""Chairs, sofas and beds."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import Solid, box, cushion, cylinder, lathe, tube
from pcdet_kd.datasets.synthetic.shapes import pick, shape
from pcdet_kd.datasets.synthetic.storage import legs


def _swivel(height: float, radius: float, rng: np.random.Generator) -> list[Solid]:
    """A column on a star of five feet, or on a disc."""
    solids = [cylinder('leg', 0.03, height, segments=8)]
    if rng.random() < 0.2:
        return [*solids, lathe('leg', [(radius * 0.8, 0), (radius * 0.75, 0.02), (0.04, 0.05)])]
    for i in range(5):
        foot = box('leg', (radius, 0.04, 0.05), (radius / 2, 0.04, 0), top=(0.9, 0.7)).turned(
            'y', 2 * np.pi * i / 5
        )
        caster = cylinder('leg', 0.03, 0.05, (radius * 0.95, 0, 0), segments=8).turned(
            'y', 2 * np.pi * i / 5
        )
        solids += [foot, caster]
    return solids


def _chair_back(
    width: float,
    height: float,
    at: tuple[float, float, float],
    tilt: float,
    padded: bool,
    rng: np.random.Generator,
) -> list[Solid]:
    t = rng.uniform(0.06, 0.12) if padded else rng.uniform(0.02, 0.04)
    kind = 'padded' if padded else pick(rng, ('solid', 3), ('slats', 2), ('rungs', 2), ('gap', 2))
    if kind == 'padded':
        solids = [cushion('back', (width, height, t), roundness=rng.uniform(5, 10), squareness=4)]
    elif kind == 'solid':
        solids = [box('back', (width, height, t), top=(rng.uniform(0.75, 1.05), 1))]
    elif kind == 'gap':
        low = height * rng.uniform(0.35, 0.6)
        solids = [
            box('back', (width, height - low, t), (0, low, 0)),
            *(box('back', (t, low, t), (s * width * 0.4, 0, 0)) for s in (-1, 1)),
        ]
    else:
        solids = [box('back', (t, height, t), (s * (width - t) / 2, 0, 0)) for s in (-1, 1)]
        count = int(rng.integers(2, 5))
        if kind == 'slats':
            slat = box('back', (t, height, t * 0.6))
            solids += [
                box('back', (width, height * 0.15, t), (0, height * 0.85, 0)),
                *(slat.moved((width * (i / (count + 1) - 0.5), 0, 0)) for i in range(1, count + 1)),
            ]
        else:
            rung = box('back', (width, height * 0.12, t * 0.6))
            solids += [rung.moved((0, height * (i + 0.8) / (count + 0.3), 0)) for i in range(count)]
    return [s.turned('x', -tilt).moved(at) for s in solids]


@shape('chair')
def chair(rng: np.random.Generator) -> list[Solid]:
    """Dining chair, office chair, armchair, cantilever chair or stool."""
    kind = pick(
        rng, ('dining', 4), ('office', 3), ('armchair', 2), ('cantilever', 1), ('stool', 0.8)
    )
    w, d, h = rng.uniform(0.38, 0.54), rng.uniform(0.38, 0.52), rng.uniform(0.38, 0.5)
    padded = kind in ('office', 'armchair') or rng.random() < 0.3
    t = rng.uniform(0.06, 0.13) if padded else rng.uniform(0.02, 0.05)
    if kind == 'armchair':
        w, d, t, h = w * 1.25, d * 1.25, rng.uniform(0.12, 0.25), rng.uniform(0.38, 0.46)
    if padded:
        solids = [
            cushion('seat', (w, t, d), (0, h - t, 0), roundness=6, squareness=rng.uniform(4, 10))
        ]
    elif rng.random() < 0.25:
        solids = [cylinder('seat', 0.5, t, (0, h - t, 0), segments=20, aspect=(w, d))]
    else:
        solids = [box('seat', (w, t, d), (0, h - t, 0))]
    below = h - t
    if kind == 'office' or (kind == 'stool' and rng.random() < 0.5):
        solids += _swivel(below, rng.uniform(0.24, 0.34), rng)
    elif kind == 'cantilever':
        for s in (-1, 1):
            x = s * w * 0.47
            path = [
                (x, h, -d * 0.45),
                (x, below, d * 0.4),
                (x, below * 0.9, d * 0.47),
                (x, 0.03, d * 0.47),
                (x, 0.015, d * 0.4),
                (x, 0.015, -d * 0.45),
            ]
            solids.append(tube('leg', path, 0.014, 6))
        solids.append(
            tube('leg', [(-w * 0.47, 0.015, -d * 0.45), (w * 0.47, 0.015, -d * 0.45)], 0.014, 6)
        )
    elif kind == 'armchair' and rng.random() < 0.6:
        solids.append(box('seat', (w, below - 0.05, d), (0, 0.05, 0)))
        solids += legs('leg', w, d, 0.06, 0.02, rng)
    else:
        solids += legs('leg', w, d, below, rng.uniform(0.014, 0.028), rng, inset=0.01)
        if rng.random() < 0.3:
            solids += [
                box('leg', (0.02, 0.03, d * 0.8), (s * w * 0.44, below * 0.35, 0)) for s in (-1, 1)
            ]
    if kind == 'stool':
        if rng.random() < 0.5:
            solids += _chair_back(
                w * 0.9, rng.uniform(0.1, 0.25), (0, h, -d * 0.45), 0.1, padded, rng
            )
        return solids
    rise = rng.uniform(0.35, 0.6) if kind != 'armchair' else rng.uniform(0.3, 0.5)
    lift = rng.uniform(0.04, 0.14) if kind == 'office' else 0
    solids += _chair_back(
        w * rng.uniform(0.8, 1), rise, (0, h + lift, -d * 0.46), rng.uniform(0, 0.3), padded, rng
    )
    if lift:
        solids.append(box('back', (0.06, lift + 0.15, 0.03), (0, h - t, -d * 0.5)))
    if rng.random() < {'dining': 0.3, 'office': 0.65, 'armchair': 0.95, 'cantilever': 0.5}[kind]:
        high, thick = (
            rng.uniform(0.16, 0.26),
            rng.uniform(0.08, 0.16) if kind == 'armchair' else rng.uniform(0.03, 0.05),
        )
        for s in (-1, 1):
            x = s * (w / 2 + thick * 0.4)
            if kind == 'armchair':
                solids.append(cushion('arm', (thick, high + t, d), (x, h - t, 0), roundness=6))
            else:
                z = d * rng.uniform(-0.1, 0.22)
                solids += [
                    box('arm', (thick, 0.03, d * 0.7), (x, h + high, -d * 0.08)),
                    box('arm', (0.03, high + t / 2, 0.04), (x, h - t / 2, z)),
                ]
    return solids


@shape('sofa')
def sofa(rng: np.random.Generator) -> list[Solid]:
    """Two- to four-seater, corner sofa, or a wide armchair, with or without arms, legs, seat and
    throw cushions.
    """
    seats = int(pick(rng, ('1', 1.2), ('2', 4), ('3', 4), ('4', 1)))
    w, d = seats * rng.uniform(0.55, 0.75), rng.uniform(0.7, 0.95)
    h, rise = rng.uniform(0.34, 0.46), rng.uniform(0.28, 0.5)
    lift = rng.uniform(0.05, 0.16) if rng.random() < 0.6 else 0.0
    depth = rng.uniform(0.14, 0.28)
    solids = legs('leg', w, d, lift, 0.025, rng) if lift else []
    pad = rng.uniform(0.08, 0.18)
    solids.append(box('seat', (w, h - pad - lift, d), (0, lift, 0)))
    split = rng.random() < 0.75
    count = seats if split else 1
    for i in range(count):
        x = w * ((i + 0.5) / count - 0.5)
        solids.append(
            cushion('seat', (w / count * 0.99, pad, d - depth), (x, h - pad, depth / 2), 6, 10)
        )
        if split and rng.random() < 0.8:
            back = cushion(
                'back',
                (w / count * 0.97, rise * rng.uniform(0.8, 1.15), depth * 0.9),
                roundness=5,
                squareness=4,
            )
            solids.append(back.turned('x', -0.12).moved((x, h, -d / 2 + depth)))
    solids.append(
        box(
            'back',
            (w, h + rise - lift, depth),
            (0, lift, -d / 2 + depth / 2),
            top=(1, rng.uniform(0.5, 1)),
        )
    )
    if rng.random() < 0.85:
        thick, high = rng.uniform(0.08, 0.26), h + rng.uniform(0.08, 0.28)
        for s in (-1, 1):
            x = s * (w + thick) / 2
            if rng.random() < 0.12:
                continue
            if rng.random() < 0.4:
                solids.append(cushion('arm', (thick * 1.15, high - lift, d), (x, lift, 0), 9, 10))
            else:
                solids.append(box('arm', (thick, high - lift, d), (x, lift, 0)))
    if seats > 1 and rng.random() < 0.25:
        side, length = int(rng.integers(2)) * 2 - 1, rng.uniform(0.4, 0.8)
        x = side * (w / 2 - w / seats / 2)
        solids += [
            box('seat', (w / seats, h - pad - lift, length), (x, lift, d / 2 + length / 2)),
            cushion('seat', (w / seats, pad, length), (x, h - pad, d / 2 + length / 2), 6, 10),
        ]
    for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.4 else 0):
        throw = cushion('back', (0.42, 0.4, 0.13), roundness=2.4, squareness=6).turned('x', -0.3)
        solids.append(throw.moved((rng.uniform(-0.4, 0.4) * w, h, -d / 2 + depth * 1.8)))
    return solids


@shape('bed')
def bed(rng: np.random.Generator) -> list[Solid]:
    """Single or double bed, divan, day bed or bunk bed, made or not."""
    w, d = (
        (rng.uniform(0.8, 1.1) if rng.random() < 0.5 else rng.uniform(1.3, 2.0)),
        rng.uniform(1.85, 2.15),
    )
    base, pad = rng.uniform(0.15, 0.38), rng.uniform(0.12, 0.3)
    solids = []
    divan = rng.random() < 0.4
    if divan:
        solids.append(box('frame', (w, base, d)))
    else:
        rail = rng.uniform(0.08, 0.2)
        solids.append(box('frame', (w + 0.06, rail, d + 0.04), (0, base - rail, 0)))
        solids += legs('frame', w, d, base, rng.uniform(0.025, 0.05), rng, inset=0.0)
    soft = cushion(
        'mattress', (w, pad, d), (0, base, 0), roundness=rng.uniform(6, 12), squareness=14
    )
    solids.append(soft)
    top = base + pad
    if rng.random() < 0.75:
        high = top + rng.uniform(0.15, 0.7)
        thick = rng.uniform(0.03, 0.12)
        if rng.random() < 0.7:
            solids.append(box('board', (w + 0.08, high, thick), (0, 0, -d / 2 - thick / 2)))
        else:
            bars = np.linspace(top, high - 0.05, 3)
            solids += [
                *(box('board', (0.05, high, 0.05), (s * w / 2, 0, -d / 2 - 0.03)) for s in (-1, 1)),
                *(box('board', (w, 0.05, 0.04), (0, y, -d / 2 - 0.03)) for y in bars),
            ]
        if rng.random() < 0.35:
            solids.append(
                box(
                    'board', (w + 0.08, top + rng.uniform(0, 0.3), thick), (0, 0, d / 2 + thick / 2)
                )
            )
    if rng.random() < 0.12:
        side = int(rng.integers(2)) * 2 - 1
        solids.append(
            box('board', (0.06, top + rng.uniform(0.2, 0.45), d), (side * (w / 2 + 0.03), 0, 0))
        )
    if rng.random() < 0.08:
        lift = rng.uniform(0.9, 1.2)
        post = box('frame', (0.06, lift + base + 0.3, 0.06))
        solids += [
            *(post.moved((sx * w / 2, 0, sz * d / 2)) for sx in (-1, 1) for sz in (-1, 1)),
            soft.moved((0, lift, 0)),
            box('frame', (w, 0.1, d), (0, lift + base - 0.1, 0)),
        ]
    heads = 1 if w < 1.2 else 2
    if rng.random() < 0.8:
        size = (w / heads * 0.8, rng.uniform(0.1, 0.18), rng.uniform(0.3, 0.45))
        for i in range(heads):
            place = (w * ((i + 0.5) / heads - 0.5), top - 0.02, -d * 0.38)
            solids.append(cushion('bedding', size, place, 2.2, 6).turned('y', rng.normal(0, 0.1)))
    if rng.random() < 0.6:
        length = d * rng.uniform(0.4, 0.7)
        thick = rng.uniform(0.05, 0.14)
        solids.append(
            cushion(
                'bedding',
                (w * rng.uniform(0.9, 1.08), thick + pad * 0.5, length),
                (0, top - pad * 0.5, d / 2 - length / 2),
                rng.uniform(3, 7),
                12,
            )
        )
    return solids
