import math

import pytest
import torch

from pcdet_kd.datasets.counter_random import SampleDraws, _mix


def draws(seed=0, epoch=0, samples=(3, 5)):
    return SampleDraws(seed, epoch, torch.tensor(samples))


def test_the_hash_is_splitmix64():
    """First output of the public C code by Vigna (splitmix64.c) for the states 0 and 1."""
    found = [int(v) % 2**64 for v in _mix(torch.tensor([0, 1]))]
    assert found == [0xE220A8397B1DCDAF, 0x910A2DEC89025CC1]


def test_a_sample_draws_the_same_in_any_batch():
    alone, together = draws(samples=(5,)), draws(samples=(1, 5, 9))
    for _ in range(3):
        assert torch.equal(alone.bits(2, 3)[0], together.bits(2, 3)[1])


def test_every_part_of_the_key_counts():
    values = [
        draws(*key).bits(4)[0]
        for key in ((0, 0), (1, 0), (0, 1), (0, 0, (4, 5)), (2**40, 0), (-1, 0), (2**64 - 2, 0))
    ]
    one = draws()
    values += [one.bits(4)[1], one.bits(4)[0]]
    assert len(set(torch.cat(values).tolist())) == 4 * 9
    # seed and epoch are not merely added: (1, 0) and (0, 1) differ above


def test_uniform():
    u = draws(samples=range(500)).uniform(-1, 3, 400)
    assert u.dtype == torch.float32 and -1 <= u.min() < -0.99 and 2.99 < u.max() <= 3
    assert u.mean() == pytest.approx(1, abs=0.02) and u.var() == pytest.approx(16 / 12, rel=0.02)
    correlation = torch.corrcoef(u[:40]) - torch.eye(40)  # of 780 pairs, standard error 0.05
    assert correlation.abs().max() < 0.25


def test_normal():
    x = draws(samples=range(500)).normal(100, 4).flatten()
    assert (
        x.isfinite().all()
        and x.mean() == pytest.approx(0, abs=0.01)
        and x.var() == pytest.approx(1, rel=0.02)
    )
    assert (x**4).mean() == pytest.approx(3, rel=0.05)
    assert (x.abs() < 1).double().mean() == pytest.approx(math.erf(0.5**0.5), abs=0.005)


def test_permutation():
    p = draws(samples=range(2000)).permutation(5)
    assert torch.equal(p.sort(1).values, torch.arange(5).expand(2000, 5))
    counts = torch.stack(
        [(p == v).sum(0) for v in range(5)]
    )  # 400 of each expected, standard deviation 18
    assert (counts - 400).abs().max() < 90
