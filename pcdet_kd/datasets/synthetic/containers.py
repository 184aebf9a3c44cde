"""Bags, bins, boxes and pillows: soft and hard vessels that look alike from a distance."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import (
    Solid,
    arc,
    bowl,
    box,
    cushion,
    cylinder,
    lathe,
    ring,
    tube,
)
from pcdet_kd.datasets.synthetic.shapes import pick, shape


def _dent(solid: Solid, rng: np.random.Generator, amount: float) -> Solid:
    """Push the surface of something soft in and out with two long waves."""
    v = solid.vertices.copy()
    centre, size = v.mean(axis=0), np.ptp(v, axis=0)
    u = (v - centre) / size
    for _ in range(2):
        wave = np.sin((u * rng.normal(0, 3.5, 3)).sum(axis=1) + rng.uniform(0, 2 * np.pi))
        v += amount * wave[:, None] * u * size
    v[:, 1] -= v[:, 1].min() - solid.vertices[:, 1].min()
    return Solid(solid.part, v, solid.faces)


@shape('bag')
def bag(rng: np.random.Generator) -> list[Solid]:
    """Handbag, rucksack, holdall, or carrier bag."""
    kind = pick(rng, ('handbag', 3), ('rucksack', 3), ('holdall', 2), ('carrier', 3))
    if kind == 'handbag':
        w, h, d = rng.uniform(0.25, 0.5), rng.uniform(0.18, 0.38), rng.uniform(0.08, 0.2)
        mouth = rng.uniform(0.25, 0.9)
        t = np.linspace(0, 1, 6)
        profile = [(1 - (1 - mouth) * a**2, h * a) for a in t]
        solids = [
            _dent(
                lathe('body', profile, aspect=(w / 2, d / 2), squareness=rng.uniform(3, 8)),
                rng,
                0.06,
            )
        ]
        loop = arc(w * rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.28))
        gap = d * mouth * 0.3
        sides = (-1, 1) if rng.random() < 0.7 else (0,)
        solids += [tube('handle', loop, 0.009, 6).moved((0, h * 0.97, s * gap)) for s in sides]
        if rng.random() < 0.4:
            solids.append(cushion('pocket', (w * 0.6, h * 0.5, 0.05), (0, h * 0.1, d * 0.45)))
        return solids
    if kind == 'rucksack':
        w, h, d = rng.uniform(0.26, 0.38), rng.uniform(0.38, 0.6), rng.uniform(0.14, 0.26)
        body = cushion('body', (w, h, d), roundness=rng.uniform(2.6, 5), squareness=4)
        solids = [
            _dent(body, rng, 0.07),
            cushion('pocket', (w * 0.75, h * 0.45, d * 0.6), (0, h * 0.06, d * 0.38), roundness=4),
        ]
        for s in (-1, 1):
            strap = arc(h * 0.75, rng.uniform(0.05, 0.12), 7)[:, [2, 0, 1]] * (1, 1, -1)
            solids.append(tube('handle', strap, 0.016, 6).moved((s * w * 0.28, h * 0.5, -d * 0.42)))
        solids.append(tube('handle', arc(0.1, 0.06, 5), 0.01, 6).moved((0, h * 0.96, -d * 0.2)))
    elif kind == 'holdall':
        w, h = rng.uniform(0.4, 0.7), rng.uniform(0.2, 0.32)
        body = cushion(
            'body', (h, w, h * rng.uniform(0.9, 1.3)), roundness=6, squareness=rng.uniform(2.2, 4)
        )
        solids = [_dent(body.turned('z', np.pi / 2).moved((w / 2, h / 2, 0)), rng, 0.05)]
        lift = rng.uniform(0.06, 0.2)
        solids += [
            tube('handle', arc(w * 0.45, lift), 0.012, 6).moved((0, h * 0.9, s * h * 0.25))
            for s in (-1, 1)
        ]
        if rng.random() < 0.5:
            solids.append(cushion('pocket', (w * 0.45, h * 0.55, 0.07), (0, h * 0.15, h * 0.5)))
    else:
        w, h, d = rng.uniform(0.22, 0.4), rng.uniform(0.25, 0.45), rng.uniform(0.12, 0.3)
        neck = rng.uniform(0.08, 0.8)
        profile = [(0.85, 0), (1, h * 0.15), (1, h * 0.5), (0.5 + neck / 2, h * 0.8), (neck, h)]
        solids = [
            _dent(
                lathe('body', profile, aspect=(w / 2, d / 2), squareness=rng.uniform(2, 4)),
                rng,
                0.1,
            )
        ]
        loop = arc(w * max(neck, 0.3) * 0.7, rng.uniform(0.06, 0.16), 7)
        solids += [
            tube('handle', loop, 0.012, 6).moved((0, h * 0.97, s * d * neck * 0.4)) for s in (-1, 1)
        ]
    return solids


@shape('bin')
def bin_(rng: np.random.Generator) -> list[Solid]:
    """Waste-paper basket, pedal bin, swing-top bin, or wheeled container."""
    kind = pick(rng, ('basket', 4), ('pedal', 2), ('swing', 2), ('wheeled', 2))
    if kind == 'wheeled':
        w, h = rng.uniform(0.45, 0.65), rng.uniform(0.8, 1.15)
        d = w * rng.uniform(1, 1.35)
        solids = [
            bowl(
                'body',
                w / 2,
                h,
                foot=rng.uniform(0.7, 0.85),
                aspect=(1, d / w),
                segments=4,
                wall=0.03,
            )
        ]
        lid = box('lid', (w * 1.05, 0.06, d * 1.08), (0, h, 0), top=(0.85, 0.9))
        if rng.random() < 0.25:
            lid = lid.turned('x', -rng.uniform(0.3, 1.9), (0, h, -d / 2))
        solids += [
            lid,
            tube(
                'fitting', [(-w * 0.4, h * 0.93, -d * 0.58), (w * 0.4, h * 0.93, -d * 0.58)], 0.02
            ),
        ]
        for s in (-1, 1):
            wheel = cylinder('fitting', 0.1, 0.05).turned('z', np.pi / 2)
            solids.append(wheel.moved((s * w * 0.42, 0.1, -d * 0.4)))
        return solids
    square = rng.random() < 0.45
    r, h = rng.uniform(0.12, 0.24), rng.uniform(0.25, 0.7)
    form = dict(
        aspect=(1, rng.uniform(0.55, 1) if square else rng.uniform(0.8, 1)),
        segments=4 if square else 20,
    )
    if square and rng.random() < 0.5:
        form.update(segments=24, squareness=rng.uniform(4, 8))
    foot = rng.uniform(0.65, 1)
    if kind == 'basket':
        solids = [bowl('body', r, h, foot=foot, wall=0.012, **form)]
        if rng.random() < 0.5:
            solids.append(ring('fitting', r * 1.06, r * 0.92, 0.03, (0, h - 0.02, 0), **form))
        if rng.random() < 0.3:
            solids.append(
                cushion('body', (r * 1.4, h * 0.5, r * 1.2), (0, h * rng.uniform(0.3, 0.6), 0), 2)
            )
        return solids
    h += 0.1
    if kind == 'pedal':
        solids = [lathe('body', [(r * foot, 0), (r, h)], **form)]
        dome = rng.uniform(0.02, 0.5) * r
        lid = lathe(
            'lid',
            [(r * 1.03, 0), (r * 1.03, 0.03), (r * 0.7, 0.03 + dome * 0.8), (r * 0.2, 0.03 + dome)],
            **form,
        )
        if rng.random() < 0.3:
            lid = lid.turned('x', -rng.uniform(0.5, 1.5), (0, 0, -r * form['aspect'][1]))
        solids += [
            lid.moved((0, h, 0)),
            box('fitting', (0.1, 0.02, 0.06), (0, 0.02, r * form['aspect'][1])),
        ]
    else:
        neck = rng.uniform(0.3, 0.7)
        peak = r * rng.uniform(0.5, 1.1)
        lid = lathe(
            'lid',
            [
                (r * 1.04, 0),
                (r * 1.02, 0.05),
                (r * neck, 0.05 + peak * 0.8),
                (r * 0.2, 0.05 + peak),
            ],
            **form,
        )
        solids = [lathe('body', [(r * foot, 0), (r, h)], **form), lid.moved((0, h, 0))]
    return solids


@shape('box')
def box_(rng: np.random.Generator) -> list[Solid]:
    """Carton with open or closed flaps, crate, or parcel, now and then a stack of two."""
    kind = pick(rng, ('closed', 3), ('open', 4), ('crate', 2), ('stack', 1))
    w = rng.uniform(0.25, 0.6)
    d, h = w * rng.uniform(0.4, 1), w * rng.uniform(0.25, 1.2)
    form = dict(aspect=(1, d / w), segments=4)
    if kind == 'crate':
        h = w * rng.uniform(0.25, 0.7)
        foot = rng.uniform(0.85, 1)
        solids = [bowl('body', w / 2, h, foot=foot, wall=rng.uniform(0.012, 0.03), **form)]
        if rng.random() < 0.6:
            solids.append(ring('body', w / 2 * 1.06, w / 2 * 0.94, 0.03, (0, h - 0.03, 0), **form))
        return solids
    if kind == 'closed':
        solids = [box('body', (w, h, d), top=tuple(rng.uniform(0.93, 1.03, 2)))]
        if rng.random() < 0.4:
            solids.append(
                box('flap', (w * 1.03, h * rng.uniform(0.1, 0.35), d * 1.04), (0, h * 0.85, 0))
            )
        return solids
    if kind == 'stack':
        turn = rng.normal(0, 0.25)
        upper = box(
            'body', (w * rng.uniform(0.5, 1), h * 0.6, d * rng.uniform(0.5, 1)), (0, h, 0)
        ).turned('y', turn)
        return [box('body', (w, h, d)), upper.moved((w * rng.normal(0, 0.06), 0, 0))]
    solids = [bowl('body', w / 2, h, foot=1, wall=0.012, **form)]
    length = min(w, d) * rng.uniform(0.3, 0.55)
    for side, half, width in ((0, d / 2, w), (1, w / 2, d), (2, d / 2, w), (3, w / 2, d)):
        if rng.random() < 0.8:
            flap = box('flap', (width * 0.97, length, 0.008)).turned('x', rng.uniform(-0.5, 2.4))
            solids.append(flap.moved((0, h - 0.01, half)).turned('y', side * np.pi / 2))
    if rng.random() < 0.4:
        solids.append(
            cushion('body', (w * 0.8, h * 0.5, d * 0.8), (0, h * rng.uniform(0.3, 0.5), 0))
        )
    return solids


@shape('pillow')
def pillow(rng: np.random.Generator) -> list[Solid]:
    """Bed pillow, throw pillow, round cushion, or bolster; flat, on edge, or leaning."""
    kind = pick(rng, ('bed', 3), ('throw', 4), ('round', 1), ('bolster', 2))
    if kind == 'bolster':
        w, h = rng.uniform(0.4, 0.8), rng.uniform(0.14, 0.25)
        body = cushion('body', (h, w, h), roundness=rng.uniform(4, 10), squareness=2).turned(
            'z', np.pi / 2
        )
        body = body.moved((w / 2, h / 2, 0))
        return [_dent(body, rng, 0.05).turned('y', rng.uniform(-0.3, 0.3))]
    w = rng.uniform(0.5, 0.75) if kind == 'bed' else rng.uniform(0.32, 0.55)
    d = w * (rng.uniform(0.55, 0.75) if kind == 'bed' else rng.uniform(0.85, 1))
    h = rng.uniform(0.1, 0.24)
    square = 2 if kind == 'round' else rng.uniform(4, 9)
    body = cushion('body', (w, h, d), roundness=rng.uniform(1.4, 2.8), squareness=square)
    v = body.vertices.copy()
    if kind != 'round':
        # A filled cover bulges in the middle of its sides, less than at its corners, which stay
        # sharp.
        pinch = rng.uniform(0, 0.16)
        v[:, 0] *= 1 - pinch * (1 - (2 * v[:, 2] / d) ** 2)
        v[:, 2] *= 1 - pinch * (1 - (2 * v[:, 0] / w) ** 2)
    body = _dent(Solid('body', v, body.faces), rng, 0.08)
    if rng.random() < 0.45:
        body = body.turned('x', rng.uniform(0.6, 1.5))
    solids = [body]
    if rng.random() < 0.12:
        solids.append(
            body.turned('y', rng.normal(0, 0.3)).moved(
                (0, np.ptp(body.vertices[:, 1]) * 0.8, rng.normal(0, 0.05))
            )
        )
    return solids
