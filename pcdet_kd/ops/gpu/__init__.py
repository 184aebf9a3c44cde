"""Triton kernels, an auction in CUDA C++ that NVRTC compiles at its first use, and the functions
that launch them.

Import nothing from here by hand: :func:`pcdet_kd.ops.backend.run` does, at the first use, so that
the package imports without Triton. Triton's kernels also run on CPU tensors, in its interpreter, if
``TRITON_INTERPRET=1`` is set before Triton is imported; that is for tests, and slow.

Rules that make every kernel give the indices of plain torch:

* A squared distance is float32 ``(dx * dx + dy * dy) + dz * dz``; ``OPTIONS`` forbids Triton to
  fuse any of it.
* Distances are >= 0 and ordered like their bits, so kernels reduce int32: that is exact, has one
  instruction per warp on recent GPUs, and leaves values beyond infinity for what is absent. Ties
  take a second reduction, over the indices.
* What lies past the end of a cloud is masked in every load and store; offsets over the batch are 64
  bits wide.
"""

__all__: list[str] = []
