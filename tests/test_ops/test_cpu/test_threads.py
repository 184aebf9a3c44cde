import pytest
import torch

from pcdet_kd import ops

WRONG = torch.zeros(2, 4, 3, dtype=torch.int64)
WRONG[1, 2, 1] = 2_000_000_000  # far enough that a kernel would end the process
FEATURES, EDGES, WEIGHT = torch.zeros(2, 5, 6), torch.zeros(2, 4, 6), torch.zeros(2, 4, 3)


@pytest.mark.parametrize('index', [WRONG, -WRONG])
def test_kernels_go_nowhere_else_also_when_nobody_checked(index):
    kernels = torch.ops.pcdet_kd
    with ops.use('numba', check_values=False):
        for call in (
            lambda: ops.edge_max_sum(FEATURES, index),
            lambda: kernels.interpolate(FEATURES, index, WEIGHT),
            lambda: kernels.edge_max_sum_backward(EDGES, EDGES, EDGES.long(), index, 5),
            lambda: kernels.group_backward(WEIGHT[..., None], index, 5),
            lambda: kernels.interpolate_backward(EDGES, index, WEIGHT, 5),
        ):
            with pytest.raises(IndexError, match='outside the 5 points'):
                call()
