import numpy as np
import pytest

from pcdet_kd.datasets.corruptions import Source


@pytest.fixture(scope='session')
def shapes():
    """Twelve different clouds (1024, 3) float32 in the unit sphere, from the surfaces of stretched
    and bent boxes.
    """
    clouds = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        points = rng.uniform(-1, 1, (1024, 3))
        side = rng.integers(3, size=1024)
        points[np.arange(1024), side] = np.sign(points[np.arange(1024), side])
        points = points * rng.uniform(0.3, 1, 3) + 0.2 * np.sin(2 * points[:, ::-1])
        points -= points.mean(0)
        clouds.append((points / np.linalg.norm(points, axis=1).max()).astype(np.float32))
    return clouds


@pytest.fixture(scope='session')
def source(shapes):
    """Those clouds as a source, each with a box as its mesh."""
    return Source(
        np.stack(shapes),
        np.arange(12) % 5,
        [f'test/{i:04d}' for i in range(12)],
        'Boxes, split test',
        'f1',
        'y',
        box,
    )


def box(index: int = 0):
    """A box (x, y, z from -1 to 1, the index making it thinner), z-up, as vertices and faces."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float) * (
        1,
        1 / (1 + index / 9),
        1,
    )
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
