"""auction.cu itself runs here, on fibers of the CPU (cuda_on_cpu.hpp); on a GPU, as it is."""

import ctypes
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from pcdet_kd.ops import backend
from pcdet_kd.ops.gpu import auction

MAIN = """
static void** arguments;
static bool is_msn;
#define A(type, k) *(type*)arguments[k]
static void kernel() {
  if (is_msn)
    msn(A(float*, 0), A(float*, 1), A(long long*, 2), A(int, 3), A(float, 4), A(int, 5));
  else
    auction(A(float*, 0), A(float*, 1), A(double*, 2), A(long long*, 3), A(double*, 4), A(double*, 5), A(int*, 6),
            A(int, 7), A(float, 8), A(double, 9), A(long long, 10));
}
extern "C" int run(int msn, int blocks, int threads, unsigned seed, void** args) {
  arguments = args;
  is_msn = msn;
  for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++)
    if (!run_block(threads, seed + blockIdx.x)) return 1;
  return 0;
}
"""  # noqa: E501


class OnCPU:
    """Stands in for nvrtc.Kernel."""

    shared_limit = 8192 * 16

    seed = 0  # of the order in which threads run
    threads = None  # None: as many as on a GPU

    def __init__(self, library, name):
        self.run, self.name = ctypes.CDLL(str(library)).run, name

    def __call__(self, blocks, threads, shared, *args):
        assert shared <= self.shared_limit and threads % 32 == 0
        assert all(arg.is_contiguous() for arg in args if isinstance(arg, Tensor))
        values = [
            ctypes.c_void_p(arg.data_ptr()) if isinstance(arg, Tensor) else arg for arg in args
        ]
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stuck = self.run(self.name == 'msn', blocks, self.threads or threads, self.seed, pointers)
        assert not stuck, 'threads wait for each other'


@pytest.fixture(scope='session')
def library(tmp_path_factory):
    compiler = shutil.which('g++') or shutil.which('clang++')
    if compiler is None:
        pytest.skip('needs g++ or clang++')
    folder = tmp_path_factory.mktemp('auction')
    source = Path(auction.__file__).with_name('auction.cu').read_text()
    source = source.replace('extern __shared__ float4 memory[];', '').replace(
        '__shared__', 'static'
    )
    header = Path(__file__).with_name('cuda_on_cpu.hpp')
    (folder / 'auction.cpp').write_text(f'#include "{header}"\n{source}\n{MAIN}')
    subprocess.run(
        [
            compiler,
            '-O2',
            '-std=c++17',
            '-ffp-contract=off',
            '-shared',
            '-fPIC',
            '-Wall',
            '-Werror',
            '-Wno-unknown-pragmas',
            '-o',
            folder / 'auction.so',
            folder / 'auction.cpp',
        ],
        check=True,
    )
    return folder / 'auction.so'


@pytest.fixture
def device(request, monkeypatch):
    """Where the clouds must lie; without a GPU the kernels run on the CPU, with 64 threads."""
    auction.load.cache_clear()
    if torch.cuda.is_available():
        return torch.device('cuda', 0)
    library = request.getfixturevalue('library')
    monkeypatch.setattr(auction, 'load', lambda name, device: OnCPU(library, name))
    monkeypatch.setattr(OnCPU, 'threads', 64)
    return torch.device('cpu')


def clouds(kind, num_points, batch=2):
    draw = torch.Generator().manual_seed(num_points)
    x, y = torch.rand(2, batch, num_points, 3, generator=draw)
    if kind == 'far':
        return x * 7 + 1e4, y * 7 - 1e4
    if kind == 'duplicates':
        return x[:, torch.randint(max(num_points // 4, 1), (num_points,), generator=draw)], y
    if kind == 'same':
        return x, x[:, torch.randperm(num_points, generator=draw)]
    if kind == 'collinear':
        return x[..., :1].expand(-1, -1, 3), y[..., :1].expand(-1, -1, 3)
    if kind == 'one place':
        return torch.ones_like(x), torch.ones_like(y)
    return x, y


def least(x, y):
    cost = cdist(x, y)
    return cost[linear_sum_assignment(cost)].mean()


@pytest.mark.parametrize('kind', ['random', 'far', 'duplicates', 'same', 'collinear', 'one place'])
@pytest.mark.parametrize('num_points', [1, 2, 33])
def test_bijections_of_least_distance(device, kind, num_points):
    x, y = clouds(kind, num_points)
    match, bound = (t.cpu() for t in auction.emd_match(x.to(device), y.to(device), 1e-5, False))
    assert match.dtype == torch.int64 and bound.dtype == torch.float32
    for a, b, m, above in zip(x.double(), y.double(), match, bound):
        assert m.sort().values.tolist() == list(range(num_points))
        excess = float((a - b[m]).norm(dim=1).mean()) - least(a, b)
        side = float(torch.cat([a, b]).amax(0).sub(torch.cat([a, b]).amin(0)).max()) or 1.0
        assert excess <= 1e-5 * side + 1e-9
        assert excess - 1e-6 * side <= above <= max(1e-4 * least(a, b), 2e-6 * side) + 1e-6 * side


def test_points_that_are_not_finite(device):
    x, y = clouds('random', 40)
    x[1, 5, 1] = torch.nan
    match, bound = (t.cpu() for t in auction.emd_match(x.to(device), y.to(device), 1e-4, False))
    assert torch.equal(match[1], torch.arange(40)) and bound.isnan().tolist() == [False, True]
    assert match[0].sort().values.tolist() == list(range(40))
    assert float((x[0] - y[0, match[0]]).norm(dim=1).mean()) <= least(x[0], y[0]) + 1e-4


def test_every_run_gives_the_same(device, monkeypatch):
    x, y = (v.to(device) for v in clouds('duplicates', 40))
    results = []
    for seed in range(3):
        monkeypatch.setattr(OnCPU, 'seed', seed)
        results.append(auction.emd_match(x, y, 1e-3, False))
    assert all(torch.equal(*pair) for other in results[1:] for pair in zip(results[0], other))


@pytest.mark.skipif(torch.cuda.is_available(), reason='a GPU chooses its own number')
@pytest.mark.parametrize('threads', [32, 128, 256])
def test_any_number_of_warps(device, monkeypatch, threads):
    monkeypatch.setattr(OnCPU, 'threads', threads)
    x, y = clouds('random', 35, batch=1)
    match, _ = auction.emd_match(x, y, 1e-5, False)
    assert float((x - y[:, match[0]]).norm(dim=2).mean()) <= least(x[0], y[0]) + 1e-5


def test_out_of_bids_the_rest_takes_what_is_near_and_says_so(device, monkeypatch):
    monkeypatch.setattr(auction, 'BIDS_PER_POINT', 1)
    x, y = (v.to(device) for v in clouds('random', 48))
    with pytest.warns(
        UserWarning,
        match=r'cloud 0 of x \(2, 48, 3\) stopped at its limit with \d+ points unmatched',
    ):
        match, bound = auction.emd_match(x, y, 1e-5, False)
    assert (match.sort().values.cpu() == torch.arange(48)).all()
    for a, b, m, above in zip(x.cpu(), y.cpu(), match.cpu(), bound.cpu()):
        assert least(a, b) < float((a - b[m]).norm(dim=1).mean()) <= least(a, b) + above


@pytest.mark.parametrize(
    'op, name, args',
    [('emd_match', 'auction', (1e-5, False)), ('msn_match', 'msn', (0.05, 99))],
)
def test_clouds_too_large_for_a_block_go_to_the_cpu_with_one_warning(
    device, monkeypatch, op, name, args
):
    x, y = (v.to(device) for v in clouds('random', 48))
    expected = backend.implementation(op, 'numba')(x, y, *args)
    auction._warn_of.cache_clear()
    monkeypatch.setitem(auction.BYTES_PER_POINT, name, 10**6)
    with pytest.warns(UserWarning, match='at most 0 points'):
        found = getattr(auction, op)(x, y, *args)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        getattr(auction, op)(x, y, *args)
    found, expected = (v[0] if op == 'emd_match' else v for v in (found, expected))
    assert torch.equal(found, expected) and found.device == x.device


def test_the_exact_optimum_comes_from_the_cpu(device, monkeypatch):
    x, y = (v.to(device) for v in clouds('random', 20))
    monkeypatch.setattr(auction, 'load', None)
    found = auction.emd_match(x, y, 1.0, True)
    assert torch.equal(found[0], backend.implementation('emd_match', 'torch')(x, y, 1.0, True)[0])


@pytest.mark.parametrize('kind', ['random', 'duplicates', 'same', 'collinear', 'one place'])
@pytest.mark.parametrize(
    'num_points, eps, rounds',
    [(1, 0.05, 5), (2, 0.05, 5), (40, 0.05, 3000), (40, 0.005, 9), (40, 0.05, 1)],
)
def test_msn_gives_the_indices_of_the_plain_form(device, kind, num_points, eps, rounds):
    x, y = (v.to(device) for v in clouds(kind, num_points))
    found = auction.msn_match(x, y, eps, rounds)
    assert torch.equal(found, backend.implementation('msn_match', 'torch')(x, y, eps, rounds))
