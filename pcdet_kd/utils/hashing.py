"""Hashes of what is in memory; :func:`pcdet_kd.utils.files.file_sha256` has those of files."""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor


def content_sha256(parts: Iterable[str | np.ndarray | Tensor]) -> str:
    """Return the SHA-256 of texts, arrays and tensors in this order, as 64 hexadecimal digits.

    Shapes and dtypes count, the device and the layout in memory do not.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(f'{part}\0'.encode())
            continue
        digest.update(f'{tuple(part.shape)}{part.dtype}\0'.encode())
        if isinstance(part, Tensor):  # NumPy does not know every dtype of torch
            part = part.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
        digest.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8))
    return digest.hexdigest()


def weights_sha256(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of a state dict's names and values, in whatever order they stand."""
    return content_sha256(part for item in sorted(state.items()) for part in item)
