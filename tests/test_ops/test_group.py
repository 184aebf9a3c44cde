import pytest
import torch

from pcdet_kd import ops


@pytest.mark.parametrize('shape', [(2, 5), (2, 5, 4)])
def test_definition(shape):
    features = torch.randn(2, 7, 6)
    index = torch.randint(7, shape)
    expected = torch.stack([f[i] for f, i in zip(features, index)])
    assert torch.equal(ops.group(features, index), expected)


def test_gradient_sums_over_duplicates():
    features = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([[[0, 0, 3]], [[2, 2, 2]]])
    ops.group(features, index).sum().backward()
    assert features.grad[..., 0].tolist() == [[2, 0, 0, 1], [0, 0, 3, 0]]
    assert torch.autograd.gradcheck(ops.group, (features, index))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize('channels', [1, 3, 64, 300])
def test_back_ends_agree(dtype, channels, monkeypatch):
    index = torch.randint(5, (1, 40, 6), generator=torch.Generator().manual_seed(0))
    grad = torch.randn(1, 40, 6, channels, generator=torch.Generator().manual_seed(1)).to(dtype)
    with ops.use('torch'):
        expected = torch.ops.pcdet_kd.group_backward(grad.double(), index, 9)
    results = []
    for threads in (1, 4):
        monkeypatch.setattr(torch, 'get_num_threads', lambda n=threads: n)
        with ops.use('numba'):
            results.append(torch.ops.pcdet_kd.group_backward(grad, index, 9))
    assert torch.equal(*results) and results[0].dtype == dtype
    narrow = dtype in (torch.bfloat16, torch.float16)
    torch.testing.assert_close(
        results[0].double(), expected, rtol=1e-2 if narrow else 1e-5, atol=1e-2 if narrow else 1e-5
    )


def test_plain_sums_of_half_precision_are_made_in_float32(monkeypatch):
    """On CUDA they are atomic additions, each of which rounds to the type of the sum."""
    real, types = torch.Tensor.index_add_, []

    def spy(total, dim, index, rows):
        types.append((total.dtype, rows.dtype))
        return real(total, dim, index, rows)

    monkeypatch.setattr(torch.Tensor, 'index_add_', spy)
    grad, index = (
        torch.full((1, 100, 4, 2), 1.01, dtype=torch.bfloat16),
        torch.zeros(1, 100, 4, dtype=torch.int64),
    )
    with ops.use('torch'):
        total = torch.ops.pcdet_kd.group_backward(grad, index, 2)
    assert types == [(torch.float32, torch.float32)] and total.dtype == torch.bfloat16
    torch.testing.assert_close(total[0, 0].float(), 400 * grad[0, 0, 0].float(), rtol=4e-3, atol=0)


def test_other_layouts_and_types():
    features = torch.arange(24).view(2, 3, 4).transpose(1, 2)
    index = torch.tensor([[3, 0], [1, 1]])
    assert torch.equal(
        ops.group(features, index), torch.stack([f[i] for f, i in zip(features, index)])
    )


@pytest.mark.parametrize(
    'features, index, message',
    [
        (torch.randn(2, 7), torch.zeros(2, 5, dtype=torch.int64), r'features has shape \(2, 7\)'),
        (
            torch.randn(2, 0, 3),
            torch.zeros(2, 5, dtype=torch.int64),
            r'features has shape \(2, 0, 3\)',
        ),
        (torch.randn(2, 7, 3), torch.zeros(3, 5, dtype=torch.int64), r'index has shape \(3, 5\)'),
        (torch.randn(2, 7, 3), torch.zeros(2, dtype=torch.int64), r'index has shape \(2,\)'),
        (torch.randn(2, 7, 3), torch.zeros(2, 5), 'index .* dtype torch.float32'),
        (torch.randn(2, 7, 3), torch.full((2, 5), 7), 'from 7 to 7, outside the 7 points'),
        (torch.randn(2, 7, 3), torch.full((2, 5), -1), 'from -1 to -1, outside'),
    ],
)
def test_bad_input(features, index, message):
    with pytest.raises(ValueError, match=message):
        ops.group(features, index)
