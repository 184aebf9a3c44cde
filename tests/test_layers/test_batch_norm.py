"""The bookkeeping of BatchNorm against BatchNorm itself, also over two processes."""

import copy

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from pcdet_kd.layers import EdgeConv, batch_norm


@pytest.mark.parametrize(
    'options',
    [
        {},
        dict(momentum=None),
        dict(momentum=0.6),
        dict(affine=False),
        dict(track_running_stats=False),
    ],
)
@pytest.mark.parametrize('training', [True, False])
def test_running_statistics(options, training):
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(4, **options).train(training)
    twin = copy.deepcopy(norm)
    for _ in range(3):
        x = torch.randn(6, 4)
        norm(x)
        batch_norm.update_running(twin, x.mean(0), x.var(0, unbiased=False), 6)
    for expected, buffer in zip(norm.buffers(), twin.buffers()):
        torch.testing.assert_close(buffer, expected)
    assert batch_norm.uses_batch(norm) == (training or not norm.track_running_stats)


def test_which_normalisations_count():
    assert batch_norm.is_plain_batch_norm(nn.BatchNorm1d(2)) and batch_norm.is_plain_batch_norm(
        nn.SyncBatchNorm(2)
    )
    assert not any(
        batch_norm.is_plain_batch_norm(other)
        for other in (nn.LayerNorm(2), nn.LazyBatchNorm1d(), None)
    )


def test_one_process_sums_nothing():
    values = torch.ones(3), torch.ones(1)
    norm = nn.SyncBatchNorm(3)
    assert all(a is b for a, b in zip(batch_norm.sum_over_processes(norm, *values), values))


def test_sign_of_scale():
    norm = nn.BatchNorm1d(3)
    norm.weight.data = torch.tensor([-2.0, 0.0, 3.0])
    assert batch_norm.sign_of_scale(norm, torch.zeros(1)).tolist() == [-1, 1, 1]
    assert batch_norm.sign_of_scale(nn.BatchNorm1d(2, affine=False), torch.zeros(1)).tolist() == [
        1,
        1,
    ]


def _step(rank, store, folder):
    dist.init_process_group('gloo', store=dist.FileStore(store, 2), rank=rank, world_size=2)
    net = nn.SyncBatchNorm.convert_sync_batchnorm(
        torch.load(f'{folder}/net.pth', weights_only=False)
    )
    x = torch.load(f'{folder}/x.pth')[2 * rank : 2 * rank + 1 + rank].requires_grad_(
        True
    )  # one cloud here, two there
    out = net(x)
    (out * torch.load(f'{folder}/grad.pth')[2 * rank : 2 * rank + 1 + rank]).sum().backward()
    torch.save(
        [
            out.detach(),
            x.grad,
            net.norm.running_mean,
            net.norm.running_var,
            *(p.grad for p in net.parameters()),
        ],
        f'{folder}/{rank}.pth',
    )
    dist.destroy_process_group()


def test_two_processes_share_the_statistics(forkserver, tmp_path):
    """Two processes with SyncBatchNorm give what one gives that sees all clouds."""
    torch.manual_seed(0)
    net = EdgeConv(3, 5, 4).double()
    net.norm.weight.data.normal_()
    x, grad = torch.randn(4, 9, 3, dtype=torch.float64), torch.randn(4, 9, 5, dtype=torch.float64)
    for name, value in (('net', net), ('x', x), ('grad', grad)):
        torch.save(value, tmp_path / f'{name}.pth')
    mp.start_processes(
        _step, (str(tmp_path / 'store'), str(tmp_path)), nprocs=2, start_method='forkserver'
    )
    seen = torch.tensor([0, 2, 3])
    leaf = x[seen].requires_grad_(True)
    out = net(leaf)
    (out * grad[seen]).sum().backward()
    first, second = (torch.load(tmp_path / f'{rank}.pth') for rank in (0, 1))
    torch.testing.assert_close(torch.cat([first[0], second[0]]), out.detach())
    torch.testing.assert_close(torch.cat([first[1], second[1]]), leaf.grad)
    for rank in (first, second):
        torch.testing.assert_close(rank[2], net.norm.running_mean)
        torch.testing.assert_close(rank[3], net.norm.running_var)
    for mine, yours, parameter in zip(first[4:], second[4:], net.parameters()):
        torch.testing.assert_close(mine + yours, parameter.grad)
