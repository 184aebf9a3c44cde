"""What surrounds an object in a scan: floor, wall, and clutter beside, on and in front of it."""

import numpy as np

from pcdet_kd.datasets.synthetic.mesh import Mesh, merge
from pcdet_kd.datasets.synthetic.primitives import Solid, box, cushion, cylinder
from pcdet_kd.datasets.synthetic.scan_simulator import BACKGROUND

WALL_CHANCE = dict(
    cabinet=0.8,
    desk=0.5,
    display=0.6,
    door=1,
    shelf=0.85,
    bed=0.6,
    sink=0.95,
    sofa=0.6,
    toilet=0.95,
)


def background(solid: Solid) -> Mesh:
    """Make a mesh of a solid that belongs to no object."""
    return Mesh(solid.vertices, solid.faces, np.full(len(solid.faces), BACKGROUND))


def _item(size: float, rng: np.random.Generator) -> Solid:
    w, h, d = size * rng.uniform(0.4, 1.2, 3)
    kind = rng.random()
    if kind < 0.5:
        return box('', (w, h, d)).turned('y', rng.uniform(0, np.pi))
    if kind < 0.75:
        return cylinder('', w / 2, h)
    return cushion('', (w, h, d), roundness=2.2, squareness=3, segments=12, rings=6)


def furnish(mesh: Mesh, name: str, rng: np.random.Generator) -> tuple[Mesh, bool]:
    """Build what surrounds an object that stands on y = 0 and faces +z.

    The floor is a slab; a wall, if there is one, stands close behind the object. Up to three things
    stand beside it, up to two on top of it and, sometimes, one in front of it, where it hides a
    part from the camera.

    Args:
        mesh: The object.
        name: Its class: some stand against a wall more often than others.
        rng: Source of randomness.

    Returns:
        The surroundings, all labelled background, and whether there is a wall.
    """
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    size = high - low
    scale = np.sqrt((size**2).sum())
    reach = 0.32 * scale
    wall = bool(rng.random() < WALL_CHANCE.get(name, 0.25))
    # Some things hang, or stand on furniture: then there is no floor nearby.
    drop = (
        rng.uniform(0.05, 0.3) * scale
        if name in ('display', 'sink') and wall and rng.random() < 0.5
        else 0
    )
    around = [box('', (size[0] + 2 * reach, 0.02, size[2] + 2 * reach), (0, -0.02 - drop, 0))]
    if wall:
        gap = rng.uniform(0.0, 0.04) * scale
        around.append(
            box(
                '',
                (size[0] + 2 * reach, size[1] + reach + drop, 0.02),
                (0, -drop, low[2] - gap - 0.01),
            )
        )
    for _ in range(int(rng.integers(0, 4))):
        side = rng.choice([-1, 1])
        thing = _item(rng.uniform(0.2, 0.5) * scale, rng)
        half = np.ptp(thing.vertices[:, 0]) / 2
        x, z = (
            side * (size[0] / 2 + half + rng.uniform(0, 0.1) * scale),
            rng.uniform(low[2], high[2]),
        )
        around.append(thing.moved((x, -drop, z)))
    normals, areas = mesh.face_vectors()
    upward = np.where(normals[:, 1] > 0.9, areas, 0)
    for _ in range(int(rng.integers(0, 3)) if upward.sum() > 0 else 0):
        edges = np.cumsum(upward)
        face = min(
            int(np.searchsorted(edges, rng.random() * edges[-1], side='right')), len(edges) - 1
        )
        weights = rng.dirichlet((1, 1, 1))
        spot = (mesh.vertices[mesh.faces[face]] * weights[:, None]).sum(axis=0)
        around.append(_item(rng.uniform(0.06, 0.18) * scale, rng).moved(spot))
    if rng.random() < 0.4:
        thing = _item(rng.uniform(0.15, 0.4) * scale, rng)
        x = rng.uniform(-0.5, 0.5) * size[0]
        around.append(thing.moved((x, -drop, high[2] + rng.uniform(0.12, 0.4) * scale)))
    return merge([background(s) for s in around]), wall
