"""numba kernels, one cloud at a time and without threads of their own, and the functions that run
them on batches.

Import nothing from here by hand: :func:`pcdet_kd.ops.backend.run` does, at the first use, so that
the package imports without numba. Compiled code is cached beside the sources, or in numba's
user-wide cache where that is read-only.
"""

__all__: list[str] = []
