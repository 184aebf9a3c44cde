"""What the checks share: a failure with a message and comparisons."""

from typing import Any

import numpy as np
from mmengine.structures import BaseDataElement
from torch import Tensor


def require(condition: bool, message: str) -> None:
    """Raise ``AssertionError`` with the message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def require_close(found: Tensor, expected: Tensor, tolerance: float, fault: str) -> None:
    """Require equal shapes, and differences within the tolerance times the largest value.

    Args:
        found: The result to check.
        expected: What it should be.
        tolerance: Relative to the largest value of ``expected``.
        fault: The message, with a place for the difference: ``'... (difference {}): ...'``.
    """
    same = found.shape == expected.shape
    gap = float((found.float() - expected.float()).abs().max()) if same else float('inf')
    require(gap <= tolerance * float(expected.float().abs().max()), fault.format(f'{gap:.2g}'))


def equal(a: Any, b: Any) -> bool:
    """Whether two nested results are equal, bit for bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (Tensor, np.ndarray)):
        return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, BaseDataElement):
        a, b = dict(a.all_items()), dict(b.all_items())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b
