import random

import numpy as np
import pytest
import torch

from pcdet_kd.utils.random_state import kept_random_state


def draws():
    return random.random(), np.random.random(), torch.rand(1).item()


@pytest.mark.parametrize('error', [None, ValueError])
def test_what_is_drawn_inside_leaves_no_trace(error):
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    expected = draws()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    try:
        with kept_random_state():
            draws()
            np.random.seed(5)
            torch.manual_seed(5)
            random.seed(5)
            if error:
                raise error
    except ValueError:
        pass
    assert draws() == expected
