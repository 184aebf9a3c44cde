"""One sample from (variant, seed, split, index)."""

from dataclasses import dataclass

import numpy as np

from pcdet_kd.datasets.class_names import SCANOBJECTNN
from pcdet_kd.datasets.synthetic.mesh import Mesh, dot, merge, rotate, rotation
from pcdet_kd.datasets.synthetic.scan_simulator import BACKGROUND, Scan, cameras, damage, scan
from pcdet_kd.datasets.synthetic.scene import furnish
from pcdet_kd.datasets.synthetic.shapes import build_mesh

GENERATOR_VERSION = 1
"""Goes up with every change that changes a sample."""
VARIANTS = ('OBJ_ONLY', 'OBJ_BG', 'PB_T50_RS')
_OBJECT, _SCENE, _BOX = range(3)  # independent streams of random numbers of one sample
_SPLITS = ('train', 'test')
_LEAST_VISIBLE = (
    0.05  # of the points drawn on an object; about one scene in fifty shows less and is drawn again
)
_ATTEMPTS = 50


@dataclass
class Sample:
    """A finished sample.

    Attributes:
        points: (N, 3) float32.
        normals: (N, 3) float32.
        parts: (N,) int16, -1 for background.
        matrix: (3, 3) and
        offset: (3,): ``matrix @ v + offset`` takes the object's mesh to the points.
    """

    points: np.ndarray
    normals: np.ndarray
    parts: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray


def _stream(seed: int, split: str, index: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([GENERATOR_VERSION, seed, _SPLITS.index(split), index, stream])


def label_of(index: int) -> int:
    """Return the class of a sample: the classes alternate, so that every 15 samples in a row have
    each class once.
    """
    return index % len(SCANOBJECTNN)


def object_mesh(seed: int, split: str, index: int) -> Mesh:
    """Build the object of a sample, in metres, standing on y = 0 with its front towards +z."""
    return build_mesh(label_of(index), _stream(seed, split, index, _OBJECT))


def _perturbed_box(found: Scan, rng: np.random.Generator) -> tuple[Scan, np.ndarray]:
    """Cut out a box that was shifted by up to half its size, turned about y by up to 0.4 radians,
    and scaled by 25 %.

    Boxes that hold less than half of the object's points are drawn again (after ten attempts, the
    shift is left out).

    Returns:
        What the box holds, and its middle.
    """
    on_object = found.parts != BACKGROUND
    inner = found.points[on_object]
    low, high = inner.min(axis=0), inner.max(axis=0)
    for attempt in range(11):
        shift, factor, angle = (
            rng.uniform(-0.5, 0.5, 3),
            rng.uniform(0.75, 1.25, 3),
            rng.uniform(-0.4, 0.4),
        )
        centre = (low + high) / 2 + (shift * (high - low) if attempt < 10 else 0)
        half = np.maximum(factor * (high - low) / 2, 0.02 * (high - low).max())
        local = rotate(found.points - centre, rotation('y', angle))
        inside = (np.abs(local) <= half).all(axis=1)
        if (inside & on_object).sum() >= max(0.5 * on_object.sum(), 1):
            break
    return found[inside], centre


def _scan_object(mesh: Mesh, name: str, count: int, rng: np.random.Generator) -> Scan:
    """Scan an object, with ``count`` points on its surface, in surroundings that leave enough of
    it visible.
    """
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    for _ in range(_ATTEMPTS):
        around, against_wall = furnish(mesh, name, rng)
        share = around.face_vectors()[1].sum() / mesh.face_vectors()[1].sum()
        eyes = cameras(low, high, against_wall, rng)
        found = damage(
            scan(merge([mesh, around]), int(count * (1 + min(share, 1.4))), eyes, rng), rng
        )
        if (found.parts != BACKGROUND).sum() >= _LEAST_VISIBLE * count:
            return found
    raise RuntimeError(
        f'{_ATTEMPTS} scenes in a row hide nearly all of the {name}: check that its mesh is '
        'closed and faces outwards'
    )


def make_sample(variant: str, seed: int, split: str, index: int, num_points: int) -> Sample:
    """Generate one sample.

    A sample depends only on these arguments: it is the same in a data set of any size. The three
    variants of an index are views of one scan.

    Args:
        variant: ``'OBJ_ONLY'``: the object alone, as segmented from the scan. ``'OBJ_BG'``: with
            what else is in its box (10 % larger on each side). ``'PB_T50_RS'``: the box shifted by
            up to half its size, turned, scaled.
        seed: Seed of the data set.
        split: ``'train'`` or ``'test'``.
        index: Number of the sample in its split.
        num_points: Points of the cloud. Where the scan has fewer, points repeat, as in real scans.
    """
    mesh = object_mesh(seed, split, index)
    rng = _stream(seed, split, index, _SCENE)
    # Denser than the result, because more than half of all surface faces away from the camera.
    wanted = max(6 * num_points, 6000)
    found = _scan_object(mesh, SCANOBJECTNN[label_of(index)], wanted, rng)
    turn = rotation('y', rng.uniform(-np.pi, np.pi))
    on_object = found.parts != BACKGROUND
    inner = found.points[on_object]
    low, high = inner.min(axis=0), inner.max(axis=0)
    centre = (low + high) / 2
    box = _stream(seed, split, index, _BOX)
    if variant == 'OBJ_ONLY':
        found = found[on_object]
    elif variant == 'OBJ_BG':
        margin = 0.1 * (high - low) + 0.02 * (high - low).max()
        found = found[
            ((found.points >= low - margin) & (found.points <= high + margin)).all(axis=1)
        ]
    else:
        found, centre = _perturbed_box(found, box)
    n = len(found.points)
    chosen = box.permutation(n)[:num_points] if n >= num_points else box.integers(0, n, num_points)
    found = found[chosen]
    local = found.points - centre
    scale = 1 / np.sqrt(dot(local, local).max())
    matrix = turn * scale
    points = rotate(local, matrix)
    return Sample(
        points.astype(np.float32),
        rotate(found.normals, turn).astype(np.float32),
        found.parts.astype(np.int16),
        matrix,
        -rotate(centre[None], matrix)[0],
    )
