"""Tables and desks: both are tops on legs, and a plain desk is a table."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import Solid, box, cylinder, lathe, tube
from pcdet_kd.datasets.synthetic.shapes import pick, shape
from pcdet_kd.datasets.synthetic.storage import fronts, legs


def _trestles(part: str, width: float, depth: float, height: float, rng: np.random.Generator) -> list[Solid]:
    """Two A or T supports with a rail between them."""
    x, bar = width * rng.uniform(.3, .42), rng.uniform(.03, .06)
    solids = [tube(part, [(-x, height * .3, 0), (x, height * .3, 0)], bar * .5, 6)] if rng.random() < .7 else []
    spread = depth * rng.uniform(.3, .45)
    for s in (-1, 1):
        if rng.random() < .5:
            solids += [box(part, (bar, height, bar * 1.6), (s * x, 0, 0)), box(part, (bar, .05, 2 * spread), (s * x, 0, 0))]
        else:
            solids += [tube(part, [(s * x, 0, k * spread), (s * x, height, k * spread * .2)], bar * .6, 6) for k in (-1, 1)]
    return solids


@shape('table')
def table(rng: np.random.Generator) -> list[Solid]:
    """Dining, coffee, side or console table: round, oval or rectangular, on four legs, a pedestal, trestles or panels."""
    kind = pick(rng, ('dining', 4), ('coffee', 3), ('side', 2), ('console', 1))
    w, d, h = {'dining': (rng.uniform(.8, 2.), rng.uniform(.7, 1.), rng.uniform(.68, .8)),
               'coffee': (rng.uniform(.6, 1.3), rng.uniform(.5, .8), rng.uniform(.3, .5)),
               'side': (rng.uniform(.4, .65), rng.uniform(.4, .6), rng.uniform(.4, .75)),
               'console': (rng.uniform(.8, 1.4), rng.uniform(.3, .45), rng.uniform(.65, .85))}[kind]
    t = rng.uniform(.018, .06)
    inner = 1.
    rounded = kind != 'console' and rng.random() < .4
    if rounded:
        d = w = min(w, 1.3)
        d *= rng.uniform(.6, 1) if rng.random() < .3 else 1
        inner = .72
        top = cylinder('top', .5, t, (0, h - t, 0), segments=28, aspect=(w, d))
    elif rng.random() < .25:
        inner = .9
        top = lathe('top', [(.5, 0), (.5, t)], (0, h - t, 0), (w, d), squareness=rng.uniform(4, 8), segments=28)
    else:
        top = box('top', (w, t, d), (0, h - t, 0))
    solids = [top]
    base = pick(rng, ('legs', 5), ('pedestal', 3 if rounded else .7), ('trestle', .2 if rounded else 1),
                ('panel', 0 if rounded else .8))
    below = h - t
    if base == 'legs':
        inset = rng.uniform(0, .08) * min(w, d)
        solids += legs('leg', w * inner, d * inner, below, rng.uniform(.015, .045), rng, inset)
        if rng.random() < .35:
            apron = rng.uniform(.05, .12)
            solids.append(box('top', (w * inner * .88, apron, d * inner * .85), (0, below - apron, 0)))
    elif base == 'pedestal':
        r = rng.uniform(.025, .08)
        solids.append(lathe('leg', [(r * 1.6, 0), (r, below * .2), (r * rng.uniform(.8, 1.6), below * .6), (r, below)]))
        if rng.random() < .5:
            solids.append(lathe('leg', [(.3 * min(w, d), 0), (.28 * min(w, d), .03), (r, .08)]))
        else:
            for i in range(int(rng.integers(3, 5))):
                foot = box('leg', (.36 * min(w, d), .05, .05), (.18 * min(w, d), 0, 0))
                solids.append(foot.turned('y', i * np.pi / 2 + .4))
    elif base == 'trestle':
        solids += _trestles('leg', w, d, below, rng)
    else:
        solids += [box('leg', (rng.uniform(.02, .06), below, d * .9), (s * w * .45, 0, 0)) for s in (-1, 1)]
    if base in ('legs', 'panel') and rng.random() < (.4 if kind != 'dining' else .08):
        solids.append(box('board', (w * inner * .86, .02, d * inner * .86), (0, below * rng.uniform(.15, .45), 0)))
    if kind == 'console' and rng.random() < .4 and base != 'trestle':
        solids.append(box('board', (w * .9, .12, d * .85), (0, below - .12, 0)))
    return solids


@shape('desk')
def desk(rng: np.random.Generator) -> list[Solid]:
    """Writing desk with drawers on one or both sides, corner desk, panel desk, secretary with a hutch, or a plain top."""
    w, d, h = rng.uniform(1., 1.8), rng.uniform(.5, .85), rng.uniform(.68, .8)
    t = rng.uniform(.02, .045)
    solids = [box('top', (w, t, d), (0, h - t, 0))]
    below = h - t
    kind = pick(rng, ('one', 4), ('two', 2.5), ('plain', 1.5), ('panel', 2))
    sides: tuple[int, ...] = {'one': (int(rng.integers(2)) * 2 - 1,), 'two': (-1, 1)}.get(kind, ())
    width = min(rng.uniform(.3, .48), w * .34)
    for s in sides:
        short = rng.random() < .25
        height = below * rng.uniform(.35, .6) if short else below
        x = s * (w / 2 - width / 2 - .02)
        solids.append(box('drawer', (width, height, d * .9), (x, below - height, 0)))
        solids += fronts(width, height, (x, below - height, d * .45), rng, 'drawer', handles=rng.random() < .6)
        if short:
            solids += [box('leg', (.04, below, d * .8), (s * (w / 2 - .03), 0, 0))]
    for s in (-1, 1):
        if s not in sides:
            if kind == 'panel' or rng.random() < .35:
                solids.append(box('leg', (.03, below, d * .92), (s * (w / 2 - .03), 0, 0)))
            else:
                r = rng.uniform(.018, .035)
                solids += [box('leg', (2 * r, below, 2 * r), (s * (w / 2 - .04), 0, k * (d / 2 - .05))) for k in (-1, 1)]
    if kind == 'plain':
        apron = rng.uniform(.06, .14)
        solids.append(box('drawer', (w * rng.uniform(.4, .9), apron, d * .8), (0, below - apron, 0)))
    if rng.random() < (.75 if kind != 'plain' else .3):
        depth = below * rng.uniform(.3, .95)
        solids.append(box('panel', (w * .94, depth, .02), (0, below - depth, -d * rng.uniform(.3, .45))))
    if rng.random() < .22:
        side = int(rng.integers(2)) * 2 - 1
        length = rng.uniform(.5, .9)
        solids.append(box('top', (d * .8, t, length), (side * (w / 2 - d * .4), h - t, d / 2 + length / 2)))
        solids.append(box('leg', (d * .75, below, .03), (side * (w / 2 - d * .4), 0, d / 2 + length - .04)))
    if rng.random() < .25:
        rise, back = rng.uniform(.25, .6), rng.uniform(.2, .3)
        z = -d / 2 + back / 2
        solids += [box('panel', (.02, rise, back), (s * (w / 2 - .01), h, z)) for s in (-1, 1)]
        solids.append(box('panel', (w, .02, back), (0, h + rise, z)))
        if rng.random() < .6:
            solids.append(box('panel', (w, rise, .015), (0, h, -d / 2)))
        if rng.random() < .5:
            solids.append(box('panel', (w, .02, back), (0, h + rise * .5, z)))
    elif rng.random() < .15:
        solids.append(box('panel', (w, rng.uniform(.2, .45), .03), (0, h, -d / 2 + .02)))
    return solids
