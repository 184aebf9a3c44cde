import pytest
import torch

TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def case(num_channels, dtype):
    draw = torch.Generator().manual_seed(num_channels)
    features = torch.randint(-3, 4, (2, 30, num_channels), generator=draw).to(
        dtype
    )  # many ties, and sums without rounding
    index = torch.randint(30, (2, 23, 5), generator=draw)
    index[:, 4] = index[:, 4, :1]  # the same neighbour all over
    return features, index


@pytest.mark.parametrize(
    'num_channels, dtype',
    [(1, torch.float32), (300, torch.float32), *((19, dtype) for dtype in TYPES)],
)
def test_same_maximum_and_sum(same, num_channels, dtype):
    same('edge_max_sum', *case(num_channels, dtype))


def test_one_neighbour_of_one_point(same):
    same('edge_max_sum', torch.tensor([[[1.5, -2.0]]]), torch.zeros(1, 1, 1, dtype=torch.int64))


@pytest.mark.parametrize('order', [[0, 1, 2], [1, 0, 2], [1, 3, 0]])
def test_the_first_nan_is_the_maximum(both, order):
    features = torch.tensor([[[1.0], [torch.nan], [2.0], [torch.nan]]])
    found, _ = both('edge_max_sum', features, torch.tensor([[order]]))
    assert found[0].isnan().all() and found[1].tolist() == [[[1]]] and found[2].isnan().all()


@pytest.mark.parametrize('deterministic', [False, True])
@pytest.mark.parametrize(
    'num_channels, dtype',
    [(1, torch.float32), (300, torch.float32), *((19, dtype) for dtype in TYPES)],
)
def test_same_gradient(same, num_channels, dtype, deterministic):
    features, index = case(num_channels, dtype)
    argmax = torch.gather(index, 2, torch.randint(5, (2, 23, num_channels)))
    draw = torch.Generator().manual_seed(1)
    grads = [
        torch.randint(-3, 4, (2, 23, num_channels), generator=draw).to(dtype) for _ in range(2)
    ]
    previous = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(deterministic)
    try:
        same('edge_max_sum_backward', *grads, argmax, index, 30)
    finally:
        torch.use_deterministic_algorithms(previous)
