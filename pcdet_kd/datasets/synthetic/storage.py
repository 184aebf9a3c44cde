"""Cabinets and shelves."""

import numpy as np

from pcdet_kd.datasets.synthetic.primitives import Solid, box, cylinder, tube
from pcdet_kd.datasets.synthetic.shapes import pick, shape


def legs(
    part: str,
    width: float,
    depth: float,
    height: float,
    radius: float,
    rng: np.random.Generator,
    inset: float = 0.03,
) -> list[Solid]:
    """Four legs, round or square, straight or tapered, under a rectangle of ``width`` ×
    ``depth``.
    """
    x, z = width / 2 - inset - radius, depth / 2 - inset - radius
    round_, taper = rng.random() < 0.5, rng.uniform(1, 1.6)
    splay = rng.uniform(0, 0.2) if rng.random() < 0.3 else 0
    solids = []
    for sx, sz in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        if round_:
            leg = cylinder(part, radius / taper, height, top=taper, segments=8)
        else:
            leg = box(part, (2 * radius / taper, height, 2 * radius / taper), top=(taper, taper))
        if splay:
            leg = leg.turned('x', -sz * splay, (0, height, 0)).turned(
                'z', sx * splay, (0, height, 0)
            )
        solids.append(leg.moved((sx * x, 0, sz * z)))
    return solids


def _handle(at: tuple[float, float, float], upright: bool, kind: str, length: float) -> Solid:
    if kind == 'knob':
        return cylinder('handle', 0.018, 0.035, segments=8).turned('x', np.pi / 2).moved(at)
    half = np.array([0, length / 2, 0]) if upright else np.array([length / 2, 0, 0])
    return tube('handle', [-half, half], 0.01, 6).moved((at[0], at[1], at[2] + 0.025))


def fronts(
    width: float,
    height: float,
    at: tuple[float, float, float],
    rng: np.random.Generator,
    part: str = 'front',
    handles: bool = True,
    sunk: float = 0.0,
) -> list[Solid]:
    """Doors or drawers that fill a ``width`` × ``height`` rectangle.

    Args:
        width: Width of the rectangle.
        height: Height of the rectangle.
        at: Middle of its lower edge.
        rng: Source of variation.
        part: Name of the doors' and drawers' part.
        handles: Whether there may be handles, which are a part ``'handle'``, or ``part`` where that
            is not ``'front'``.
        sunk: How far doors and drawers reach back into the body.
    """
    kind = pick(rng, ('doors', 3), ('drawers', 3), ('both', 2)) if height > 0.35 else 'drawers'
    knob = pick(rng, ('knob', 1), ('bar', 1), ('none', 0.7)) if handles else 'none'
    gap, proud = 0.012, rng.uniform(0.012, 0.03)
    split = (
        height * rng.uniform(0.55, 0.8) if kind == 'both' else (height if kind == 'doors' else 0)
    )
    solids = []
    x0, y0, z0 = at
    if split:
        columns = max(1, round(width / rng.uniform(0.35, 0.6)))
        w = width / columns
        for i in range(columns):
            x = x0 - width / 2 + (i + 0.5) * w
            door = box(
                part,
                (w - gap, split - gap, proud + sunk),
                (x, y0 + gap / 2, z0 + (proud - sunk) / 2),
            )
            side = 1 if i % 2 == 0 else -1
            if rng.random() < 0.06:
                hinge = (x - side * w / 2, 0, z0)
                solids.append(door.turned('y', -side * rng.uniform(0.4, 1.6), hinge))
                continue
            solids.append(door)
            if knob != 'none':
                solids.append(
                    _handle(
                        (x + side * w * 0.38, y0 + split * 0.55, z0 + proud),
                        True,
                        knob,
                        min(0.25, split * 0.3),
                    )
                )
    rest = height - split
    if rest > 0.05:
        rows, columns = (
            max(1, round(rest / rng.uniform(0.16, 0.32))),
            max(1, round(width / rng.uniform(0.4, 0.9))),
        )
        w, h = width / columns, rest / rows
        for i in range(columns):
            for j in range(rows):
                x, y = x0 - width / 2 + (i + 0.5) * w, y0 + split + j * h
                out = rng.uniform(0.08, 0.25) if rng.random() < 0.07 else proud
                solids.append(
                    box(
                        part,
                        (w - gap, h - gap, out + sunk),
                        (x, y + gap / 2, z0 + (out - sunk) / 2),
                    )
                )
                if knob != 'none':
                    solids.append(
                        _handle((x, y + h * 0.6, z0 + out), False, knob, min(0.2, w * 0.4))
                    )
    return solids if part == 'front' else [Solid(part, s.vertices, s.faces) for s in solids]


@shape('cabinet')
def cabinet(rng: np.random.Generator) -> list[Solid]:
    """Wardrobe, chest of drawers, sideboard, bedside cabinet, filing cabinet or wall unit; some
    with an open compartment.
    """
    kind = pick(
        rng,
        ('wardrobe', 2),
        ('chest', 3),
        ('sideboard', 3),
        ('bedside', 2),
        ('filing', 2),
        ('unit', 1.5),
    )
    size = {
        'wardrobe': (0.7, 1.8, 1.5, 2.1, 0.45, 0.65),
        'chest': (0.6, 1.2, 0.6, 1.2, 0.4, 0.55),
        'sideboard': (1.0, 2.0, 0.5, 0.95, 0.35, 0.55),
        'bedside': (0.35, 0.6, 0.4, 0.7, 0.3, 0.5),
        'filing': (0.4, 0.55, 0.6, 1.4, 0.45, 0.65),
        'unit': (0.6, 1.2, 1.2, 2.0, 0.35, 0.5),
    }[kind]
    w, h, d = (rng.uniform(size[i], size[i + 1]) for i in (0, 2, 4))
    lift = (
        rng.uniform(0.08, 0.25)
        if kind in ('chest', 'sideboard', 'bedside') and rng.random() < 0.55
        else 0
    )
    solids = legs('leg', w, d, lift, 0.025, rng) if lift else []
    if not lift and rng.random() < 0.5:
        lift = rng.uniform(0.04, 0.1)
        solids.append(box('leg', (w * 0.94, lift, d * 0.9)))
    open_height = 0.0
    if kind == 'unit' or (kind in ('sideboard', 'bedside') and rng.random() < 0.3):
        open_height = (h - lift) * rng.uniform(0.25, 0.6)
    closed = h - lift - open_height
    sunk = 0.08
    solids.append(box('body', (w, closed, d - sunk), (0, lift, -sunk / 2)))
    solids += fronts(w * 0.98, closed, (0, lift, d / 2), rng, sunk=sunk)
    if open_height:
        y, t, boards = lift + closed, 0.025, max(1, round(open_height / 0.35))
        levels = (y + open_height * i / boards - t for i in range(1, boards + 1))
        solids += [
            *(box('body', (t, open_height, d), (s * (w - t) / 2, y, 0)) for s in (-1, 1)),
            box('body', (w, open_height, t), (0, y, -(d - t) / 2)),
            *(box('body', (w, t, d), (0, level, 0)) for level in levels),
        ]
    if rng.random() < 0.5:
        solids.append(box('body', (w + 0.05, 0.03, d + 0.04), (0, h, 0.01)))
    return solids


@shape('shelf')
def shelf(rng: np.random.Generator) -> list[Solid]:
    """Bookcase, post rack, ladder shelf, cube shelf or wall shelf, with or without a back and
    things on its boards.
    """
    kind = pick(rng, ('bookcase', 4), ('rack', 3), ('ladder', 1), ('cubes', 1.5), ('wall', 1))
    w, h, d = rng.uniform(0.5, 1.3), rng.uniform(0.8, 2.1), rng.uniform(0.22, 0.5)
    t = rng.uniform(0.018, 0.04)
    count = int(rng.integers(3, 7))
    if kind == 'wall':
        h, count, d = rng.uniform(0.25, 0.7), int(rng.integers(2, 4)), rng.uniform(0.18, 0.3)
    if kind == 'cubes':
        h, count = w * rng.uniform(0.6, 1.6), int(rng.integers(3, 5))
    levels = np.linspace(0 if kind != 'rack' else rng.uniform(0.05, 0.2), h - t, count)
    if kind in ('bookcase', 'rack') and rng.random() < 0.4:
        levels[1:-1] += rng.normal(0, 0.04, count - 2) * h / count
    depths = np.linspace(1, rng.uniform(0.4, 0.7), count) if kind == 'ladder' else np.ones(count)
    solids = [box('board', (w, t, d * k), (0, y, -d * (1 - k) / 2)) for y, k in zip(levels, depths)]
    if kind == 'rack':
        post = box('side', (t * 1.4, h, t * 1.4))
        solids += [post.moved((a * w / 2, 0, b * d * 0.47)) for a in (-1, 1) for b in (-1, 1)]
        if rng.random() < 0.3:
            solids.append(tube('side', [(-w / 2, 0.05, -d * 0.47), (w / 2, h, -d * 0.47)], 0.01, 6))
    elif kind == 'ladder':
        tilt = np.arctan2(d * (1 - depths[-1]), h)
        post = box('side', (t, h, 0.05))
        for sx in (-1, 1):
            solids += [
                post.turned('x', -tilt).moved((sx * w / 2, 0, d * 0.47)),
                post.moved((sx * w / 2, 0, -d * 0.47)),
            ]
    else:
        solids += [box('side', (t, h, d), (s * (w + t) / 2, 0, 0)) for s in (-1, 1)]
        columns = max(1, round(w / (h / count))) if kind == 'cubes' else int(rng.integers(1, 3))
        inner = (w * (i / columns - 0.5) for i in range(1, columns))
        solids += [box('side', (t, h, d), (x, 0, 0)) for x in inner]
        if rng.random() < 0.65:
            solids.append(box('side', (w, h, 0.012), (0, 0, -d / 2 + 0.006)))
    fill = rng.uniform(0.2, 1) if rng.random() < 0.5 else 0
    for i, (y, k) in enumerate(zip(levels[:-1], depths)):
        if rng.random() < fill:
            room = (levels[i + 1] - y - t) * rng.uniform(0.5, 0.9)
            width = w * rng.uniform(0.25, 0.9)
            x = rng.uniform(-1, 1) * (w - width) / 2
            solids.append(
                box('content', (width, room, d * k * rng.uniform(0.5, 0.85)), (x, y + t, -d * 0.08))
            )
    return solids
