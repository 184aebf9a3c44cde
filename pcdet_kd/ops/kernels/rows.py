"""What the kernels do to one row of distances.

Two rules make them fast and equal to plain torch:

* numba vectorises no float min or max reduction, but it does so for int32; distances are >= 0, and their bits order like
  integers. Reducing the bits is about seven times faster.
* A squared distance is (dx * dx + dy * dy) + dz * dz, in this order and never fused: ``FAST`` leaves 'contract' and
  'reassoc' out.
"""

import numpy as np
from numba import njit

FAST = {'nnan', 'nsz', 'arcp'}
OPTIONS = dict(nogil=True, cache=True, boundscheck=False, error_model='numpy')
INFINITY = np.float32(np.inf)


@njit(fastmath=FAST, **OPTIONS)
def distances_to(x, y, z, cx, cy, cz, d):
    """Write the squared distances of points (x, y, z) to (cx, cy, cz) into d."""
    for i in range(x.size):
        dx = x[i] - cx
        dy = y[i] - cy
        dz = z[i] - cz
        d[i] = dx * dx + dy * dy + dz * dz


@njit(fastmath=FAST, **OPTIONS)
def lower_to(x, y, z, cx, cy, cz, d):
    """Lower d to the squared distances of points (x, y, z) to (cx, cy, cz) where these are less."""
    for i in range(x.size):
        dx = x[i] - cx
        dy = y[i] - cy
        dz = z[i] - cz
        d[i] = min(d[i], dx * dx + dy * dy + dz * dz)


@njit(**OPTIONS)
def greatest(bits):
    """Return the maximum of an int32 row."""
    m = np.int32(-2147483648)
    for i in range(bits.size):
        m = max(m, bits[i])
    return m


@njit(**OPTIONS)
def least(bits):
    """Return the minimum of an int32 row."""
    m = np.int32(2147483647)
    for i in range(bits.size):
        m = min(m, bits[i])
    return m


@njit(**OPTIONS)
def insert(d, base, values, indices, bound):
    """Merge the row part d, whose first column is ``base``, into the sorted lists of the k least; return the new bound.

    ``bound`` is the k-th value. Columns come in ascending order, so that strict comparisons keep the lowest index on ties.
    """
    k = values.size
    for i in range(d.size):
        v = d[i]
        if v < bound:
            a = k - 1
            while a > 0 and values[a - 1] > v:
                values[a] = values[a - 1]
                indices[a] = indices[a - 1]
                a -= 1
            values[a] = v
            indices[a] = base + i
            bound = values[k - 1]
    return bound
