import numpy as np

from pcdet_kd.evaluation.transfer import outcomes, transfer

GT = np.array([0, 0, 0, 0, 1, 1, 1, 1])
ALONE = np.array([0, 0, 2, 2, 1, 1, 0, 1])
TEACHER = np.array([2, 1, 0, 0, 1, 0, 0, 2])
STUDENT = np.array([2, 2, 0, 2, 1, 1, 1, 1])


def test_the_two_by_two_table():
    found = outcomes(ALONE, TEACHER, GT)
    assert found == (1, 4, 2, 1, 2)
    assert sum(found[:4]) == 8


def test_what_the_student_took_over():
    # learnable: 2, 3 (2 learned); losable: 0, 1, 5, 7 (0 and 1 lost, 0 with the teacher's class)
    found = transfer(STUDENT, ALONE, TEACHER, GT)
    assert found == (2, 1, 4, 2, 1)
