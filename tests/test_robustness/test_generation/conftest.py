import numpy as np
import pytest

from pcdet_kd.robustness import Source


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
