"""GPU kernels against plain torch: in Triton's interpreter, or on a GPU where CUDA_VISIBLE_DEVICES
shows one.
"""

import os

import pytest
import torch
from torch import Tensor

from pcdet_kd.ops import backend

HERE = (
    pytest.param('cuda', marks=pytest.mark.cuda)
    if torch.cuda.is_available()
    else pytest.param('cpu', id='interpreter')
)


@pytest.fixture(params=[HERE])
def device(request):
    pytest.importorskip('triton')
    if request.param == 'cpu' and os.environ.get('TRITON_INTERPRET') != '1':
        pytest.skip('needs TRITON_INTERPRET=1 or a GPU')
    return torch.device(request.param)


class Fenced:
    """Takes the place of torch.empty: what it returns is not 0, and lies between values that nobody
    may change.
    """

    MARGIN, VALUE = 64, 113

    def __init__(self):
        self.empty, self.made = torch.empty, []

    def __call__(self, *shape, **kwargs):
        size = torch.Size(shape if len(shape) != 1 or isinstance(shape[0], int) else shape[0])
        whole = self.empty(size.numel() + 2 * self.MARGIN, **kwargs).fill_(self.VALUE)
        self.made.append(whole)
        return whole[self.MARGIN : -self.MARGIN].view(size)

    def check(self):
        for whole in self.made:
            assert (whole[: self.MARGIN] == self.VALUE).all() and (
                whole[-self.MARGIN :] == self.VALUE
            ).all(), 'written outside'


@pytest.fixture
def both(device, monkeypatch):
    """Run an op's GPU kernel and its plain form on the same arguments, and return both results on
    the CPU, as tuples.
    """

    def run(op, *args):
        args = [arg.to(device) if isinstance(arg, Tensor) else arg for arg in args]
        results = []
        for name in ('triton', 'torch'):
            with monkeypatch.context() as patch:
                function = backend.implementation(op, name)
                fence = Fenced()
                if name == 'triton':
                    patch.setattr(torch, 'empty', fence)
                found = function(*args)
                fence.check()
            found = found if isinstance(found, tuple) else (found,)
            assert all(t.device.type == device.type for t in found)
            results.append(tuple(t.cpu() for t in found))
        for a, b in zip(*results, strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype
        return results

    return run


@pytest.fixture
def same(both):
    """Like ``both``, and the results must be equal; returns one of them."""

    def run(op, *args):
        found, expected = both(op, *args)
        for a, b in zip(found, expected):
            assert torch.equal(a, b), f'{op}: {(a != b).sum()} of {a.numel()} differ'
        return found if len(found) > 1 else found[0]

    return run


def _clouds(name, num_points):
    draw = torch.Generator().manual_seed(num_points)
    points = torch.randn(2, num_points, 3, generator=draw)
    if name == 'surface':
        return points / points.norm(dim=2, keepdim=True)
    if name == 'duplicates':
        return points[:, torch.randint(max(num_points // 4, 1), (num_points,), generator=draw)]
    if name == 'collinear':
        return torch.randint(-9, 9, (2, num_points, 1), generator=draw) * torch.tensor(
            [1.0, 2.0, -1.0]
        )
    if name == 'lattice':
        return torch.randint(4, (2, num_points, 3), generator=draw).float()
    if name == 'far':
        return points * 0.1 + torch.tensor([5e4, -3e4, 1e5])
    if name == 'huge':
        return points * 1e25  # squared distances are infinite
    return points


# the interpreter computes with NumPy, which warns where a square becomes infinite
CLOUDS = (
    'random',
    'surface',
    'duplicates',
    'collinear',
    'lattice',
    'far',
    pytest.param('huge', marks=pytest.mark.filterwarnings('ignore:overflow')),
)


@pytest.fixture(params=CLOUDS)
def clouds(request):
    """A function that makes (2, num_points, 3) clouds of some kind."""
    return lambda num_points: _clouds(request.param, num_points)
