"""What a student took over from its teacher, shape by shape."""

from typing import NamedTuple

import numpy as np


class Outcomes(NamedTuple):
    """Who of two is right, in numbers of shapes.

    Attributes:
        both, only_one, only_other, neither: The 2 x 2 table.
        same: Shapes for which both predict one class, right or wrong.
    """

    both: int
    only_one: int
    only_other: int
    neither: int
    same: int


class Transfer(NamedTuple):
    """What changed from the student alone to the distilled student.

    Attributes:
        could_learn: Shapes that the student alone has wrong and the teacher right.
        learned: Those of them that the distilled student has right.
        could_lose: Shapes that the student alone has right and the teacher wrong.
        lost: Those of them that the distilled student has wrong.
        copied: Those of the lost with the teacher's very class.
    """

    could_learn: int
    learned: int
    could_lose: int
    lost: int
    copied: int


def outcomes(one: np.ndarray, other: np.ndarray, gt: np.ndarray) -> Outcomes:
    """Compare two models' predictions.

    Args:
        one, other: Predicted classes, (n,) int64.
        gt: True classes, (n,) int64.
    """
    a, b = one == gt, other == gt
    counts = (a & b, a & ~b, ~a & b, ~a & ~b, one == other)
    return Outcomes(*(int(mask.sum()) for mask in counts))


def transfer(
    student: np.ndarray, alone: np.ndarray, teacher: np.ndarray, gt: np.ndarray
) -> Transfer:
    """Count what a student took over from its teacher, right and wrong.

    Args:
        student, alone, teacher: Classes that the distilled student, the student alone and the
            teacher predict, (n,) int64.
        gt: True classes, (n,) int64.
    """
    could_learn = (alone != gt) & (teacher == gt)
    could_lose = (alone == gt) & (teacher != gt)
    lost = could_lose & (student != gt)
    masks = (could_learn, could_learn & (student == gt), could_lose, lost)
    return Transfer(*(int(m.sum()) for m in masks), int((lost & (student == teacher)).sum()))
