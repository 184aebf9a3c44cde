"""How the kernels are compiled, and the two rules that make them fast and equal to plain torch.

* numba vectorises no float min or max reduction, but it does so for int32; distances are >= 0, and
  their bits order like integers. Reducing the bits is about seven times faster;
  ``np.float32(v).view(np.int32)`` gives them and costs nothing.
* A squared distance is (dx * dx + dy * dy) + dz * dz, in this order and never fused: ``FAST``
  leaves 'contract' and 'reassoc' out.

Two smaller ones: an index of type uint64 is not checked for being negative, and a slice is an array
whose making costs as much as a hundred additions, so that inner loops take whole arrays and
indices.

numba's cache looks at the file of the function that it holds, not at what that function calls. So a
kernel calls only functions of its own file; after a change in this one, delete ``__pycache__``.
"""

import warnings

import numba
import numpy as np


def can_cache() -> bool:
    """Return whether numba finds a directory for its cache; where it finds none, it would refuse to
    compile.
    """

    def probe() -> None:
        pass

    try:
        numba.njit(cache=True)(probe)
    except RuntimeError as error:
        warnings.warn(
            f'the compiled kernels are not kept, and every process compiles them again ({error}): '
            'set NUMBA_CACHE_DIR to a directory that can be written to',
            stacklevel=2,
        )
        return False
    return True


FAST = {'nnan', 'nsz', 'arcp'}
OPTIONS = dict(nogil=True, cache=can_cache(), boundscheck=False, error_model='numpy')
INFINITY = np.float32(np.inf)
LEAST, MOST = np.int32(-2147483648), np.int32(2147483647)
