"""Chairs, sofas and beds."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import Solid, box, cushion, cylinder, lathe, tube
from pcdet_kd.datasets.synthetic.shapes import pick, shape
from pcdet_kd.datasets.synthetic.storage import legs


def _swivel(height: float, radius: float, rng: np.random.Generator) -> list[Solid]:
    """A column on a star of five feet, or on a disc."""
    solids = [cylinder('leg', .03, height, segments=8)]
    if rng.random() < .2:
        return [*solids, lathe('leg', [(radius * .8, 0), (radius * .75, .02), (.04, .05)])]
    for i in range(5):
        foot = box('leg', (radius, .04, .05), (radius / 2, .04, 0), top=(.9, .7)).turned('y', 2 * np.pi * i / 5)
        caster = cylinder('leg', .03, .05, (radius * .95, 0, 0), segments=8).turned('y', 2 * np.pi * i / 5)
        solids += [foot, caster]
    return solids


def _chair_back(width: float, height: float, at: tuple[float, float, float], tilt: float, padded: bool,
                rng: np.random.Generator) -> list[Solid]:
    t = rng.uniform(.06, .12) if padded else rng.uniform(.02, .04)
    kind = 'padded' if padded else pick(rng, ('solid', 3), ('slats', 2), ('rungs', 2), ('gap', 2))
    if kind == 'padded':
        solids = [cushion('back', (width, height, t), roundness=rng.uniform(5, 10), squareness=4)]
    elif kind == 'solid':
        solids = [box('back', (width, height, t), top=(rng.uniform(.75, 1.05), 1))]
    elif kind == 'gap':
        low = height * rng.uniform(.35, .6)
        solids = [box('back', (width, height - low, t), (0, low, 0))]
        solids += [box('back', (t, low, t), (s * width * .4, 0, 0)) for s in (-1, 1)]
    else:
        solids = [box('back', (t, height, t), (s * (width - t) / 2, 0, 0)) for s in (-1, 1)]
        count = int(rng.integers(2, 5))
        if kind == 'slats':
            solids.append(box('back', (width, height * .15, t), (0, height * .85, 0)))
            solids += [box('back', (t, height, t * .6), (width * (i / (count + 1) - .5), 0, 0)) for i in range(1, count + 1)]
        else:
            rung = box('back', (width, height * .12, t * .6))
            solids += [rung.moved((0, height * (i + .8) / (count + .3), 0)) for i in range(count)]
    return [s.turned('x', -tilt).moved(at) for s in solids]


@shape('chair')
def chair(rng: np.random.Generator) -> list[Solid]:
    """Dining chair, office chair, armchair, cantilever chair or stool."""
    kind = pick(rng, ('dining', 4), ('office', 3), ('armchair', 2), ('cantilever', 1), ('stool', .8))
    w, d, h = rng.uniform(.38, .54), rng.uniform(.38, .52), rng.uniform(.38, .5)
    padded = kind in ('office', 'armchair') or rng.random() < .3
    t = rng.uniform(.06, .13) if padded else rng.uniform(.02, .05)
    if kind == 'armchair':
        w, d, t, h = w * 1.25, d * 1.25, rng.uniform(.12, .25), rng.uniform(.38, .46)
    if padded:
        solids = [cushion('seat', (w, t, d), (0, h - t, 0), roundness=6, squareness=rng.uniform(4, 10))]
    elif rng.random() < .25:
        solids = [cylinder('seat', .5, t, (0, h - t, 0), segments=20, aspect=(w, d))]
    else:
        solids = [box('seat', (w, t, d), (0, h - t, 0))]
    below = h - t
    if kind == 'office' or (kind == 'stool' and rng.random() < .5):
        solids += _swivel(below, rng.uniform(.24, .34), rng)
    elif kind == 'cantilever':
        for s in (-1, 1):
            x = s * w * .47
            path = [(x, h, -d * .45), (x, below, d * .4), (x, below * .9, d * .47), (x, .03, d * .47), (x, .015, d * .4),
                    (x, .015, -d * .45)]
            solids.append(tube('leg', path, .014, 6))
        solids.append(tube('leg', [(-w * .47, .015, -d * .45), (w * .47, .015, -d * .45)], .014, 6))
    elif kind == 'armchair' and rng.random() < .6:
        solids.append(box('seat', (w, below - .05, d), (0, .05, 0)))
        solids += legs('leg', w, d, .06, .02, rng)
    else:
        solids += legs('leg', w, d, below, rng.uniform(.014, .028), rng, inset=.01)
        if rng.random() < .3:
            solids += [box('leg', (.02, .03, d * .8), (s * w * .44, below * .35, 0)) for s in (-1, 1)]
    if kind == 'stool':
        if rng.random() < .5:
            solids += _chair_back(w * .9, rng.uniform(.1, .25), (0, h, -d * .45), .1, padded, rng)
        return solids
    rise = rng.uniform(.35, .6) if kind != 'armchair' else rng.uniform(.3, .5)
    lift = rng.uniform(.04, .14) if kind == 'office' else 0
    solids += _chair_back(w * rng.uniform(.8, 1), rise, (0, h + lift, -d * .46), rng.uniform(0, .3), padded, rng)
    if lift:
        solids.append(box('back', (.06, lift + .15, .03), (0, h - t, -d * .5)))
    if rng.random() < {'dining': .3, 'office': .65, 'armchair': .95, 'cantilever': .5}[kind]:
        high, thick = rng.uniform(.16, .26), rng.uniform(.08, .16) if kind == 'armchair' else rng.uniform(.03, .05)
        for s in (-1, 1):
            x = s * (w / 2 + thick * .4)
            if kind == 'armchair':
                solids.append(cushion('arm', (thick, high + t, d), (x, h - t, 0), roundness=6))
            else:
                solids.append(box('arm', (thick, .03, d * .7), (x, h + high, -d * .08)))
                solids.append(box('arm', (.03, high + t / 2, .04), (x, h - t / 2, d * rng.uniform(-.1, .22))))
    return solids


@shape('sofa')
def sofa(rng: np.random.Generator) -> list[Solid]:
    """Two- to four-seater, corner sofa, or a wide armchair, with or without arms, legs, seat and throw cushions."""
    seats = int(pick(rng, ('1', 1.2), ('2', 4), ('3', 4), ('4', 1)))
    w, d = seats * rng.uniform(.55, .75), rng.uniform(.7, .95)
    h, rise = rng.uniform(.34, .46), rng.uniform(.28, .5)
    lift = rng.uniform(.05, .16) if rng.random() < .6 else .0
    depth = rng.uniform(.14, .28)
    solids = legs('leg', w, d, lift, .025, rng) if lift else []
    pad = rng.uniform(.08, .18)
    solids.append(box('seat', (w, h - pad - lift, d), (0, lift, 0)))
    split = rng.random() < .75
    count = seats if split else 1
    for i in range(count):
        x = w * ((i + .5) / count - .5)
        solids.append(cushion('seat', (w / count * .99, pad, d - depth), (x, h - pad, depth / 2), 6, 10))
        if split and rng.random() < .8:
            back = cushion('back', (w / count * .97, rise * rng.uniform(.8, 1.15), depth * .9), roundness=5, squareness=4)
            solids.append(back.turned('x', -.12).moved((x, h, -d / 2 + depth)))
    solids.append(box('back', (w, h + rise - lift, depth), (0, lift, -d / 2 + depth / 2), top=(1, rng.uniform(.5, 1))))
    if rng.random() < .85:
        thick, high = rng.uniform(.08, .26), h + rng.uniform(.08, .28)
        for s in (-1, 1):
            x = s * (w + thick) / 2
            if rng.random() < .12:
                continue
            if rng.random() < .4:
                solids.append(cushion('arm', (thick * 1.15, high - lift, d), (x, lift, 0), 9, 10))
            else:
                solids.append(box('arm', (thick, high - lift, d), (x, lift, 0)))
    if seats > 1 and rng.random() < .25:
        side, length = int(rng.integers(2)) * 2 - 1, rng.uniform(.4, .8)
        x = side * (w / 2 - w / seats / 2)
        solids.append(box('seat', (w / seats, h - pad - lift, length), (x, lift, d / 2 + length / 2)))
        solids.append(cushion('seat', (w / seats, pad, length), (x, h - pad, d / 2 + length / 2), 6, 10))
    for _ in range(int(rng.integers(0, 3)) if rng.random() < .4 else 0):
        throw = cushion('back', (.42, .4, .13), roundness=2.4, squareness=6).turned('x', -.3)
        solids.append(throw.moved((rng.uniform(-.4, .4) * w, h, -d / 2 + depth * 1.8)))
    return solids


@shape('bed')
def bed(rng: np.random.Generator) -> list[Solid]:
    """Single or double bed, divan, day bed or bunk bed, made or not."""
    w, d = (rng.uniform(.8, 1.1) if rng.random() < .5 else rng.uniform(1.3, 2.)), rng.uniform(1.85, 2.15)
    base, pad = rng.uniform(.15, .38), rng.uniform(.12, .3)
    solids = []
    divan = rng.random() < .4
    if divan:
        solids.append(box('frame', (w, base, d)))
    else:
        rail = rng.uniform(.08, .2)
        solids.append(box('frame', (w + .06, rail, d + .04), (0, base - rail, 0)))
        solids += legs('frame', w, d, base, rng.uniform(.025, .05), rng, inset=.0)
    soft = cushion('mattress', (w, pad, d), (0, base, 0), roundness=rng.uniform(6, 12), squareness=14)
    solids.append(soft)
    top = base + pad
    if rng.random() < .75:
        high = top + rng.uniform(.15, .7)
        thick = rng.uniform(.03, .12)
        if rng.random() < .7:
            solids.append(box('board', (w + .08, high, thick), (0, 0, -d / 2 - thick / 2)))
        else:
            solids += [box('board', (.05, high, .05), (s * w / 2, 0, -d / 2 - .03)) for s in (-1, 1)]
            solids += [box('board', (w, .05, .04), (0, y, -d / 2 - .03)) for y in np.linspace(top, high - .05, 3)]
        if rng.random() < .35:
            solids.append(box('board', (w + .08, top + rng.uniform(0, .3), thick), (0, 0, d / 2 + thick / 2)))
    if rng.random() < .12:
        side = int(rng.integers(2)) * 2 - 1
        solids.append(box('board', (.06, top + rng.uniform(.2, .45), d), (side * (w / 2 + .03), 0, 0)))
    if rng.random() < .08:
        lift = rng.uniform(.9, 1.2)
        post = box('frame', (.06, lift + base + .3, .06))
        solids += [post.moved((sx * w / 2, 0, sz * d / 2)) for sx in (-1, 1) for sz in (-1, 1)]
        solids += [soft.moved((0, lift, 0)), box('frame', (w, .1, d), (0, lift + base - .1, 0))]
    heads = 1 if w < 1.2 else 2
    if rng.random() < .8:
        size = (w / heads * .8, rng.uniform(.1, .18), rng.uniform(.3, .45))
        for i in range(heads):
            place = (w * ((i + .5) / heads - .5), top - .02, -d * .38)
            solids.append(cushion('bedding', size, place, 2.2, 6).turned('y', rng.normal(0, .1)))
    if rng.random() < .6:
        length = d * rng.uniform(.4, .7)
        thick = rng.uniform(.05, .14)
        solids.append(cushion('bedding', (w * rng.uniform(.9, 1.08), thick + pad * .5, length),
                              (0, top - pad * .5, d / 2 - length / 2), rng.uniform(3, 7), 12))
    return solids
