import importlib
import itertools
import threading
import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from pcdet_kd import ops

N = 200


def uniform(seed, n=N):
    return torch.rand(2, n, 3, generator=torch.Generator().manual_seed(seed))


def surface(seed, n=N):
    """Half a sphere shell, half a box face, of random sizes."""
    generator = torch.Generator().manual_seed(seed)
    p = torch.randn(2, n, 3, generator=generator)
    p = p / p.norm(dim=2, keepdim=True) * torch.rand(2, 1, 3, generator=generator)
    p[:, ::2, 2] = torch.rand(1, generator=generator)
    return p


def means(x, y, match):
    """The mean distance under ``match`` and the least, in float64."""
    x, y = x.double().numpy(), y.double().numpy()
    costs = [cdist(a, b) for a, b in zip(x, y)]
    given = [c[np.arange(len(c)), m].mean() for c, m in zip(costs, match.numpy())]
    least = [c[linear_sum_assignment(c)].mean() for c in costs]
    return np.array(given), np.array(least)


def is_bijection(match):
    return bool((match.sort(1).values == torch.arange(match.shape[1])).all())


ONE_OF_5 = torch.arange(N) % 5
CASES = {
    'uniform': (uniform(0), uniform(1)),
    'surface': (surface(0), surface(1)),
    'noise': (surface(0), surface(0)[:, torch.randperm(N)] + 1e-3 * uniform(2)),
    'duplicates': (uniform(0)[:, ONE_OF_5], uniform(1)[:, ONE_OF_5 // 2]),
    'unbalanced duplicates': (
        uniform(0)[:, (ONE_OF_5 > 0).long()],
        uniform(0)[:, (ONE_OF_5 > 3).long()],
    ),
    'one point many times': (torch.full((2, N, 3), 0.4), uniform(1)),
    'lattice': ((uniform(0) * 4).round() / 4, (uniform(1) * 4).round() / 4),
    'far from the origin': (surface(0) + 1000, surface(1) + 1000),
    'far from each other': (surface(0) + 1000, surface(1)),
    'tiny': (surface(0) * 1e-20, surface(1) * 1e-20),
    'huge': (surface(0) * 1e30, surface(1) * 1e30),
    'collapsed': (surface(0) * 1e-3, surface(1)),
    'an outlier': (torch.cat([surface(0)[:, 1:], torch.full((2, 1, 3), 1e3)], 1), surface(1)),
    'a line': (uniform(0) * torch.tensor([1.0, 0, 0]), uniform(1) * torch.tensor([1.0, 0, 0])),
    'float64': (surface(0).double() + 1e6, surface(1).double() + 1e6),
}


@pytest.mark.parametrize('case', CASES)
def test_a_bijection_within_a_hundredth_of_a_percent_of_the_optimum(case):
    x, y = CASES[case]
    match, certificate = ops.emd_match(x, y, return_certificate=True)
    assert match.dtype == torch.int64
    assert is_bijection(match)
    given, least = means(x, y, match)
    np.testing.assert_array_less(given, least * (1 + 1e-4))
    # what is proven holds (up to float32 rounding), and proves something
    np.testing.assert_array_less(given - least, certificate.numpy() + 1e-6 * least)
    np.testing.assert_array_less(certificate.numpy(), 1e-3 * least)


@pytest.mark.parametrize('case', CASES)
def test_exact_is_the_optimum_in_float64(case):
    x, y = CASES[case]
    match, certificate = ops.emd_match(x, y, exact=True, return_certificate=True)
    assert is_bijection(match)
    given, least = means(x, y, match)
    size = torch.cat([x, y], 1).double()
    size = (size.amax(1) - size.amin(1)).amax(1).numpy()
    np.testing.assert_allclose(given, least, rtol=1e-14, atol=1e-15 * size.max())
    np.testing.assert_array_less(certificate.numpy(), 1e-13 * size)


@pytest.mark.parametrize('eps', [0.5, 1e-3, 1e-6])
def test_exact_needs_no_good_start(eps):
    for seed in range(20):
        n = 1 + 7 * seed
        x, y = (surface if seed % 2 else uniform)(seed, n), surface(seed + 100, n)
        given, least = means(x, y, ops.emd_match(x, y, eps=eps, exact=True))
        np.testing.assert_allclose(given, least, rtol=1e-14)


@pytest.mark.parametrize('kind', [uniform, surface])
def test_the_default_is_within_a_millionth_of_the_optimum(kind):
    x, y = (
        torch.cat([kind(seed, 512) for seed in seeds]) for seeds in (range(20, 26), range(40, 46))
    )
    match = ops.emd_match(x, y)
    given, least = (
        (x.double() - ops.group(y, m).double()).norm(dim=2).mean(1)
        for m in (match, ops.emd_match(x, y, exact=True))
    )
    np.testing.assert_array_less(least, given + 1e-12)
    np.testing.assert_allclose(given, least, rtol=1e-6)
    assert torch.equal(match, ops.emd_match(x, y, eps=2e-6))


@pytest.mark.parametrize('n', [3, 65, 1100])
def test_the_least_values_are_found_whatever_the_bounds_skip(n):
    from pcdet_kd.ops.cpu import auction, blocks

    rng = np.random.default_rng(n)
    x, y = (
        np.round(rng.random((n, 3)) * 8).astype(np.float32) / 8 for _ in range(2)
    )  # a lattice: many ties
    order, *columns, price, bounds = blocks.blocks_of(x, y)
    assert sorted(order[:n].tolist()) == list(range(n))
    costs = cdist(x, y)
    block = 0
    for _ in range(300):
        i = int(rng.integers(n))
        best, second, place = auction.two_least(order, *columns, price, bounds[i], block, *x[i])
        block = place // blocks.BLOCK
        prices = np.empty(n)
        prices[order[:n]] = price[:n]
        values = costs[i].astype(np.float32) + prices.astype(np.float32)
        assert order[place] == values.argmin()
        np.testing.assert_allclose([best, second], np.sort(values)[:2], rtol=1e-6)
        price[place] += np.float32(rng.integers(1, 3) / 8)


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('compat', [None, 'msn'])
@pytest.mark.parametrize('backend', ['torch', 'numba'])
def test_values_that_are_not_finite_never_hang(backend, compat, bad):
    x, y = uniform(0), uniform(1)
    x[1, 3, 2] = bad
    expected = ops.emd_match(x[:1], y[:1], compat=compat)
    results = []

    def run():
        results.append(ops.emd_match(x, y, compat=compat))
        results.append(ops.emd_match(x, y, exact=True, return_certificate=True))

    with ops.use(backend, check_values=False):
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(60)
    assert len(results) == 2
    assert is_bijection(results[0])
    assert results[0][1].tolist() == list(range(N))
    if backend == 'numba' or compat == 'msn':
        assert torch.equal(results[0][:1], expected)
    assert results[1][1].isnan().tolist() == [False, True]


def test_equal_and_shuffled_clouds():
    x = surface(0)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ops.emd_match(x[:, order], x), order.expand(2, N))
    same = torch.full((2, N, 3), 7.0)
    assert is_bijection(ops.emd_match(same, same))


@pytest.mark.parametrize('n', [1, 2, 3, 5, 63, 64, 65, 129])
def test_any_number_of_points(n):
    x, y = uniform(3, n), uniform(4, n)
    match, certificate = ops.emd_match(x, y, return_certificate=True)
    assert is_bijection(match)
    assert certificate.shape == (2,)
    given, least = means(x, y, match)
    np.testing.assert_allclose(given, least, rtol=1e-4)


def test_smallest_of_all_permutations():
    x, y = uniform(5, 6), uniform(6, 6)
    match = ops.emd_match(x, y)
    for a, b, m in zip(x.numpy(), y.numpy(), match.tolist()):
        cost = cdist(a, b)
        assert tuple(m) == min(
            itertools.permutations(range(6)), key=lambda p: cost[range(6), p].sum()
        )


@pytest.mark.parametrize('eps', [0.5, 0.1, 0.02, 1e-3, 1e-5, 1e-7])
def test_eps_bounds_the_gap_and_runs_repeat(eps):
    x, y = uniform(0), uniform(1)
    match, certificate = ops.emd_match(x, y, eps=eps, return_certificate=True)
    assert torch.equal(ops.emd_match(x, y, eps=eps), match)
    given, least = means(x, y, match)
    np.testing.assert_array_less(given, least + min(eps, 10 * eps * least.min()) + 1e-9)
    if eps >= 0.02:  # a coarse eps buys time with accuracy
        np.testing.assert_array_less(least * 1.001, given)
    np.testing.assert_array_less(certificate.numpy(), max(eps, 1e-6))


def test_an_eps_below_what_float32_resolves_still_ends():
    x, y = CASES['unbalanced duplicates']
    given, least = means(x, y, ops.emd_match(x, y, eps=1e-12))
    np.testing.assert_allclose(given, least, rtol=1e-5)


def test_an_auction_that_is_stopped_warns_and_is_still_a_bijection(monkeypatch):
    module = importlib.import_module('pcdet_kd.ops.cpu.auction')
    monkeypatch.setattr(module, 'BIDS_PER_POINT', 1)
    x, y = uniform(0)[:1], uniform(1)[:1]
    with pytest.warns(UserWarning, match='stopped at its limit with .* points unmatched'):
        match, certificate = ops.emd_match(x, y, return_certificate=True)
    assert is_bijection(match)
    given, least = means(x, y, match)
    assert least < given <= least + certificate.numpy()


def test_without_numba_scipy_matches():
    x, y = surface(0), surface(1)
    with ops.use('torch'):
        match, certificate = ops.emd_match(x, y, return_certificate=True)
    given, least = means(x, y, match)
    np.testing.assert_allclose(given, least, rtol=1e-12)
    assert certificate.tolist() == [0, 0]


def test_no_graph():
    x = uniform(0).requires_grad_()
    assert not ops.emd_match(x, uniform(1)).requires_grad


def msn(x, y, eps, rounds):
    """MSN's auction by its rules, one point after the other, in float32; ties to the lowest
    index.
    """
    x, y, eps = x.numpy(), y.numpy(), np.float32(eps)
    n = len(x)
    d = x[:, None] - y
    cost = np.sqrt((d[..., 0] * d[..., 0] + d[..., 1] * d[..., 1]) + d[..., 2] * d[..., 2])
    price, match, owner = np.zeros(n, np.float32), [-1] * n, [-1] * n
    for r in range(rounds):
        bids = {}
        for i in [i for i in range(n) if match[i] < 0]:
            value = cost[i] + price
            j = int(value.argmin())
            if r == rounds - 1:
                match[i] = j
                continue
            bid = np.float32(np.float32(np.delete(value, j).min() - value[j]) + eps)
            if j not in bids or bid > bids[j][0]:
                bids[j] = bid, i
        for j, (bid, i) in bids.items():
            if owner[j] >= 0:
                match[owner[j]] = -1
            owner[j], match[i] = i, j
            price[j] += bid
    return match


@pytest.mark.parametrize('backend', ['torch', 'numba'])
@pytest.mark.parametrize('eps, rounds', [(0.05, 3000), (0.05, 30), (0.005, 12), (0.3, 1)])
def test_msn_follows_its_rules(backend, eps, rounds):
    x, y = uniform(0, 70), (uniform(1, 70) * 5).round() / 5
    with ops.use(backend):
        match = ops.emd_match(x, y, compat='msn', eps=eps, iterations=rounds)
    assert match.tolist() == [msn(a, b, eps, min(rounds, 400)) for a, b in zip(x, y)]
    assert is_bijection(match) == (rounds == 3000)


@pytest.mark.parametrize('backend', ['torch', 'numba'])
def test_msn_defaults_are_pointcmts(backend):
    x, y = uniform(0), uniform(1)
    with ops.use(backend):
        match = ops.emd_match(x, y, compat='msn')
        assert torch.equal(match, ops.emd_match(x, y, compat='msn', eps=0.05, iterations=3000))
        assert ops.emd_match(x[:, :1], y[:, :1], compat='msn').tolist() == [[0], [0]]
    given, least = means(x, y, match)
    np.testing.assert_array_less(least * 1.005, given)
    np.testing.assert_array_less(given, least + 0.05)


def test_msn_reads_eps_in_the_clouds_unit():
    x, y = uniform(0), uniform(1)
    assert torch.equal(
        ops.emd_match(x * 4, y * 4, compat='msn', eps=0.2),
        ops.emd_match(x, y, compat='msn', eps=0.05),
    )


def test_default_run_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        ops.emd_match(*CASES['an outlier'])


def test_a_large_cloud_proves_itself():
    x, y = uniform(0, 3000)[:1], uniform(1, 3000)[:1]
    match, certificate = ops.emd_match(x, y, return_certificate=True)
    assert is_bijection(match)
    mean = float((x - y[:, match[0]]).norm(dim=2).mean())
    assert (
        float(certificate) < 2e-4 * mean
    )  # weak duality: no need to solve 3000 points another way
