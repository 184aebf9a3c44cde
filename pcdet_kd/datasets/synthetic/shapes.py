"""The table of shapes: which function draws which class, and the names of its parts."""

from collections.abc import Callable
from importlib import import_module

import numpy as np

from pcdet_kd.datasets.class_names import SCANOBJECTNN, number_parts
from pcdet_kd.datasets.synthetic.mesh import Mesh
from pcdet_kd.datasets.synthetic.primitives import Solid

Builder = Callable[[np.random.Generator], list[Solid]]
BUILDERS: dict[str, Builder] = {}
PARTS = {
    'bag': ('body', 'handle', 'pocket'),
    'bin': ('body', 'lid', 'fitting'),
    'box': ('body', 'flap'),
    'cabinet': ('body', 'front', 'handle', 'leg'),
    'chair': ('seat', 'back', 'leg', 'arm'),
    'desk': ('top', 'leg', 'drawer', 'panel'),
    'display': ('screen', 'stand'),
    'door': ('leaf', 'frame', 'handle'),
    'shelf': ('board', 'side', 'content'),
    'table': ('top', 'leg', 'board'),
    'bed': ('mattress', 'frame', 'board', 'bedding'),
    'pillow': ('body',),
    'sink': ('basin', 'counter', 'tap', 'foot'),
    'sofa': ('seat', 'back', 'arm', 'leg'),
    'toilet': ('bowl', 'tank', 'lid', 'foot'),
}
PART_NAMES = tuple(f'{name}/{part}' for name in SCANOBJECTNN for part in PARTS[name])
"""Part names in part-label order; the parts of one class are neighbours."""
CLASS_PARTS = number_parts(PARTS[name] for name in SCANOBJECTNN)
_FAMILIES = ('containers', 'fixtures', 'seating', 'storage', 'tables')


def shape(name: str) -> Callable[[Builder], Builder]:
    """Register a function that draws one object of class ``name`` from random numbers.

    The object stands on y = 0 with its front towards +z; lengths are metres.
    """

    def enter(builder: Builder) -> Builder:
        BUILDERS[name] = builder
        return builder

    return enter


def build_mesh(label: int, rng: np.random.Generator) -> Mesh:
    """Draw one object.

    Args:
        label: Class index in :data:`~pcdet_kd.datasets.class_names.SCANOBJECTNN`.
        rng: Source of all its variation.

    Returns:
        A mesh in metres that stands on y = 0, centred on x = z = 0, with its front towards +z.
        ``face_parts`` are indices into :data:`PART_NAMES`.
    """
    if not BUILDERS:
        for family in _FAMILIES:
            import_module(f'pcdet_kd.datasets.synthetic.{family}')
    name = SCANOBJECTNN[label]
    solids = BUILDERS[name](rng)
    ids = {part: PART_NAMES.index(f'{name}/{part}') for part in PARTS[name]}
    counts = [len(s.vertices) for s in solids]
    vertices = np.concatenate([s.vertices for s in solids])
    faces = np.concatenate([s.faces + o for s, o in zip(solids, np.cumsum([0, *counts[:-1]]))])
    parts = np.repeat([ids[s.part] for s in solids], [len(s.faces) for s in solids])
    vertices = _warp(vertices, rng)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    vertices -= [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2]
    return Mesh(vertices, faces, parts)


def _warp(vertices: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stretch each axis by up to 12 %, and shear a little: no two products have the same
    proportions.
    """
    x, y, z = (vertices * rng.uniform(0.88, 1.12, 3)).T
    lean = rng.normal(0, 0.02, 2)
    return np.stack([x + lean[0] * y, y, z + lean[1] * y], axis=1)


def pick(rng: np.random.Generator, *weighted: tuple[str, float]) -> str:
    """Return one of the names with a probability in proportion to its weight."""
    names, weights = zip(*weighted)
    edges = np.cumsum(weights)
    return names[int(np.searchsorted(edges, rng.random() * edges[-1], side='right'))]
