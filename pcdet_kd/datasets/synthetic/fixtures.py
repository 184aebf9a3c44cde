"""Displays, doors, sinks and toilets."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import Solid, bowl, box, cushion, cylinder, lathe, ring, tube
from pcdet_kd.datasets.synthetic.shapes import pick, shape
from pcdet_kd.datasets.synthetic.storage import fronts


@shape('display')
def display(rng: np.random.Generator) -> list[Solid]:
    """Monitor on a stand, television on feet or on the wall, laptop-like screen, or a deep tube monitor."""
    kind = pick(rng, ('monitor', 4), ('television', 2.5), ('wall', 2), ('tube', 1.2), ('portrait', .7))
    w = rng.uniform(.4, .75) if kind in ('monitor', 'tube', 'portrait') else rng.uniform(.7, 1.5)
    h = w / rng.choice([4 / 3, 16 / 10, 16 / 9, 21 / 9], p=[.25, .25, .4, .1])
    if kind == 'portrait':
        w, h = h, w
    t = rng.uniform(.02, .06)
    lift = rng.uniform(.06, .2)
    if kind == 'tube':
        h, depth = w * rng.uniform(.7, .85), w * rng.uniform(.6, .95)
        neck = box('screen', (w, depth, h), top=(.5, .5)).turned('x', -np.pi / 2)
        solids = [box('screen', (w * 1.04, h * 1.04, .06), (0, .05, 0)), neck.moved((0, .05 + h / 2, -.03))]
        return [*solids, lathe('stand', [(w * .35, 0), (w * .3, .05)], (0, 0, -depth * .3))]
    screen = [box('screen', (w, h, t))]
    if rng.random() < .5:
        bulge = box('screen', (w * .7, rng.uniform(.03, .07), h * .7), top=(.6, .6)).turned('x', -np.pi / 2)
        screen.append(bulge.moved((0, h / 2, -t / 2)))
    rim = rng.uniform(.008, .02)
    if rng.random() < .5:
        for x, y, size in ((-1, .5, (rim, h)), (1, .5, (rim, h)), (0, 0, (w, rim)), (0, 1, (w, rim))):
            screen.append(box('screen', (size[0], size[1], .012), (x * (w - rim) / 2, y * h - size[1] / 2, t / 2 + .004)))
    tilt = rng.normal(0, .08)
    if kind == 'wall':
        screen = [s.turned('x', abs(tilt)) for s in screen]
        return [*screen, box('stand', (w * .3, h * .3, .06), (0, h * .35, -t / 2 - .05))]
    solids = [s.turned('x', -tilt).moved((0, lift, 0)) for s in screen]
    if kind == 'television' and rng.random() < .6:
        for s in (-1, 1):
            foot = rng.uniform(.1, .16)
            x = s * w * .35
            solids += [box('stand', (.03, .02, foot * 2), (x, 0, 0)), box('stand', (.02, lift + .03, .03), (x, 0, 0))]
        return solids
    foot = rng.uniform(.12, .2) * (w / .5)**.5
    if rng.random() < .5:
        solids.append(lathe('stand', [(foot, 0), (foot * .95, .015), (.03, .03)], aspect=(1, .7)))
    else:
        solids.append(box('stand', (2 * foot, .018, foot * 1.3)))
    return [*solids, box('stand', (rng.uniform(.04, .12), lift + h * .3, .03), (0, .01, -t / 2 - .02))]


@shape('door')
def door(rng: np.random.Generator) -> list[Solid]:
    """Single or double door, closed or ajar, with or without its frame, flat, panelled or glazed."""
    double = rng.random() < .15
    w, h, t = rng.uniform(.65, 1.), rng.uniform(1.85, 2.2), rng.uniform(.03, .06)
    framed = rng.random() < .65
    kind = pick(rng, ('flat', 3), ('panelled', 3), ('glazed', 1.5))
    ajar = rng.uniform(.2, 1.7) if rng.random() < .3 else 0
    rows, columns = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    height, knob = rng.uniform(.9, 1.1), rng.random() < .8
    solids = []
    for hinge in ((-1, 1) if double else (int(rng.integers(2)) * 2 - 1,)):
        if kind == 'glazed':
            bar = rng.uniform(.1, .15)
            leaf = [box('leaf', (bar, h, t), (s * (w - bar) / 2, 0, 0)) for s in (-1, 1)]
            leaf += [box('leaf', (w, bar, t), (0, y, 0)) for y in np.linspace(0, h - bar, rows + 1)]
            leaf.append(box('leaf', (w, h, t * .2)))
        else:
            leaf = [box('leaf', (w, h, t))]
        if kind == 'panelled':
            pw, ph, out = w * .8 / columns, h * .88 / rows, rng.uniform(.012, .03)
            panel = box('leaf', (pw * .82, ph * .82, t + 2 * out), (-pw * (columns - 1) / 2, h * .06 + ph * .09, 0))
            leaf += [panel.moved((pw * i, ph * j, 0)) for i in range(columns) for j in range(rows)]
        if knob:
            for side in (-1, 1):
                grip = cylinder('handle', .025, .06, segments=8).turned('x', np.pi / 2).moved((0, 0, t / 2))
                lever = box('handle', (.13, .025, .02), (-.05, -.012, t / 2 + .05))
                leaf += [Solid('handle', s.vertices * (-hinge, 1, 1), s.faces if hinge < 0 else s.faces[:, ::-1])
                         .turned('y', 0 if side > 0 else np.pi, (0, 0, 0)).moved((-hinge * w * .42, height, 0))
                         for s in (grip, lever)]
        centre = (hinge * w / 2) if double else 0
        leaf = [s.turned('y', -hinge * ajar, (hinge * w / 2, 0, 0)).moved((centre, 0, 0)) for s in leaf]
        solids += leaf
    if framed:
        full, bar, deep = w * (2 if double else 1), rng.uniform(.05, .12), rng.uniform(.08, .2)
        solids += [box('frame', (bar, h + bar, deep), (s * (full + bar) / 2, 0, 0)) for s in (-1, 1)]
        solids.append(box('frame', (full + 2 * bar, bar, deep), (0, h, 0)))
    return solids


def _tap(height: float, reach: float, at: tuple[float, float, float], rng: np.random.Generator) -> list[Solid]:
    bow = np.array([(0, 0, 0), (0, height * .6, 0), (0, height * .9, reach * .15), (0, height, reach * .5),
                    (0, height * .92, reach * .85), (0, height * .75, reach)])
    solids = [tube('tap', bow + at, .014, 6)]
    if rng.random() < .5:
        solids += [cylinder('tap', .02, .06, (at[0] + s * .09, at[1], at[2]), segments=8) for s in (-1, 1)]
    return solids


@shape('sink')
def sink(rng: np.random.Generator) -> list[Solid]:
    """Pedestal or wall basin, vanity, bowl on a counter, or a kitchen sink with one or two basins and a drainer."""
    kind = pick(rng, ('pedestal', 3), ('wall', 2.5), ('vanity', 3), ('kitchen', 2), ('vessel', 1))
    r = rng.uniform(.2, .32)
    deep = rng.uniform(.12, .22)
    oval = rng.uniform(.7, 1)
    if kind in ('pedestal', 'wall'):
        y = rng.uniform(.6, .8) if kind == 'pedestal' else .0
        square = rng.choice([2., 3., 7.])
        solids = [bowl('basin', r, deep, (0, y, 0), rng.uniform(.45, .85), .035, .05, (1, oval), square, bulge=.08)]
        back = box('counter', (2 * r * rng.uniform(.7, 1), deep * .7, .1), (0, y + deep * .3, -r * oval - .02))
        solids += [back, *_tap(rng.uniform(.08, .2), .13, (0, y + deep, -r * oval + .01), rng)]
        if kind == 'pedestal':
            foot = rng.uniform(.07, .11)
            solids.append(lathe('foot', [(foot * 1.35, 0), (foot, y * .25), (foot * .95, y * .7), (foot * 1.4, y + .02)],
                                (0, 0, -r * oval * .3)))
        elif rng.random() < .4:
            solids.append(tube('foot', [(0, .03, 0), (0, -.15, 0), (0, -.17, -.1), (0, -.17, -r * oval)], .02, 6))
        return solids
    basins = 2 if kind == 'kitchen' and rng.random() < .4 else 1
    bw, bd = 2 * r, 2 * r * oval
    left, right = rng.uniform(.05, .4), rng.uniform(.05, .3)
    front, back, t = rng.uniform(.04, .1), rng.uniform(.08, .14), rng.uniform(.02, .06)
    inner = basins * bw + (basins - 1) * .04
    w, d = left + inner + right, front + bd + back
    tall = kind == 'vanity' or rng.random() < .45
    y = rng.uniform(.65, .85) if tall else deep
    x0 = -w / 2 + left
    zc = (back - front) / 2
    solids = []
    if kind == 'vessel':
        solids.append(box('counter', (w, t, d), (0, y - t, 0)))
        square = rng.choice([2., 6.])
        solids.append(bowl('basin', r, deep, (x0 + r, y, zc), rng.uniform(.4, .8), .02, .03, (1, oval), square, bulge=.1))
    else:
        for width, depth, x, z in ((left, d, -w / 2 + left / 2, 0), (right, d, w / 2 - right / 2, 0),
                                   (inner, front, x0 + inner / 2, d / 2 - front / 2),
                                   (inner, back, x0 + inner / 2, -d / 2 + back / 2)):
            solids.append(box('counter', (width, t, depth), (x, y - t, z)))
        for i in range(basins):
            x = x0 + bw / 2 + i * (bw + .04)
            foot = rng.uniform(.75, .95)
            solids.append(bowl('basin', bw / 2, deep, (x, y - deep - .002, zc), foot, .012, .015, (1, oval), segments=4))
            if i:
                solids.append(box('counter', (.06, t, bd), (x - bw / 2 - .02, y - t, zc)))
    if tall:
        under = y - (t if kind == 'vessel' else deep)
        if rng.random() < .7:
            solids.append(box('foot', (w * .97, y - t, .02), (0, 0, -d / 2 + .02)))
            solids += [box('foot', (.02, y - t, d * .95), (s * w * .48, 0, 0)) for s in (-1, 1)]
            solids.append(box('foot', (w * .96, y - t, .02), (0, 0, d / 2 - .04)))
            solids += fronts(w * .95, y - t, (0, 0, d / 2 - .03), rng, 'foot')
        else:
            solids += [box('foot', (.04, under, .04), (sx * w * .46, 0, sz * d * .44)) for sx in (-1, 1) for sz in (-1, 1)]
    solids += _tap(rng.uniform(.15, .3), rng.uniform(.14, .2), (x0 + inner / 2, y, -d / 2 + back * .5), rng)
    if rng.random() < .3:
        solids.append(box('counter', (w, rng.uniform(.08, .25), .02), (0, y, -d / 2 + .01)))
    return solids


@shape('toilet')
def toilet(rng: np.random.Generator) -> list[Solid]:
    """Close-coupled, wall-hung or high-tank toilet, lid up or down."""
    kind = pick(rng, ('coupled', 5), ('hung', 2), ('boxed', 2))
    r, long = rng.uniform(.17, .21), rng.uniform(1.15, 1.45)
    h = rng.uniform(.36, .45)
    square = rng.uniform(2, 3.2)
    deep = h * rng.uniform(.55, .75) if kind == 'hung' else h
    solids = [bowl('bowl', r, deep, (0, h - deep, 0), rng.uniform(.4, .75), .04, deep * .45, (1, long), square, bulge=.06)]
    solids.append(ring('lid', r * 1.04, r * .72, .025, (0, h, 0), (1, long), square))
    rear = -r * long
    if kind != 'hung':
        width, depth = r * rng.uniform(.8, 1.3), r * rng.uniform(.9, 1.6)
        solids.append(box('foot', (width, h * .9, depth), (0, 0, rear * .55), top=(1.2, 1)))
    lid = cushion('lid', (2 * r * 1.02, .03, 2 * r * long), roundness=8, squareness=square, rings=5)
    if rng.random() < .5:
        lid = lid.moved((0, h + .025, 0))
    else:
        lid = lid.turned('x', -rng.uniform(1.45, 1.75), (0, 0, rear)).moved((0, h + .03, .03))
    solids.append(lid)
    if kind == 'coupled':
        w, d, tall = rng.uniform(.34, .48), rng.uniform(.15, .22), rng.uniform(.28, .42)
        z = rear - d / 2 + .02
        if rng.random() < .5:
            solids.append(box('tank', (w, tall, d), (0, h - .02, z), top=(rng.uniform(.95, 1.1), 1)))
        else:
            solids.append(cushion('tank', (w, tall, d), (0, h - .02, z), roundness=10, squareness=6))
        solids.append(box('tank', (w * 1.07, .035, d * 1.1), (0, h - .02 + tall, z)))
        if rng.random() < .6:
            solids.append(box('foot', (r * 1.2, h * .9, .18), (0, 0, rear * .9)))
    elif kind == 'boxed':
        w, tall = rng.uniform(.4, .8), rng.uniform(.8, 1.15)
        solids.append(box('tank', (w, tall, .16), (0, 0, rear - .06)))
    else:
        solids.append(box('foot', (r * 1.3, deep * .8, .12), (0, h - deep * .85, rear + .02)))
    return solids
