"""Random numbers of many samples at once, each sample's own: a hash of (seed, epoch, sample, draw,
element).
"""

import math

import torch
from torch import Tensor


class SampleDraws:
    """Draws for a batch of samples on any device.

    The numbers of a sample depend on seed, epoch and sample and on how many draws came before,
    never on the batch that it is in. They are the same on every device up to the rounding of
    ``log``, ``cos`` and ``sin``. The bits are those of SplitMix64 (Steele, Lea and Flood, 2014),
    applied to each part of the key in turn.

    Args:
        seed: Seed of the run.
        epoch: Number of the pass.
        samples: (B,) int64 sample numbers; their device is that of the draws.
    """

    def __init__(self, seed: int, epoch: int, samples: Tensor) -> None:
        key = torch.zeros((), dtype=torch.int64, device=samples.device)
        for part in (_signed(seed), _signed(epoch), samples):
            key = _mix(key + part)
        self.keys = key
        self.count = 0

    def bits(self, *shape: int) -> Tensor:
        """Return (B, *shape) int64: 64 random bits each."""
        self.count += 1
        stream = _mix(self.keys + _signed(self.count * _GAMMA))
        element = torch.arange(1, math.prod(shape) + 1, device=stream.device) * _GAMMA
        return _mix(stream[:, None] + element).view(-1, *shape)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return (B, *shape) float32 in [low, high)."""
        unit = ((self.bits(*shape) >> 40) & 0xFFFFFF).float() * 2.0**-24
        return (low + (high - low) * unit).clamp(max=high)

    def normal(self, *shape: int) -> Tensor:
        """Return (B, *shape) float32 from the standard normal distribution (Box and Muller,
        1958).
        """
        bits = self.bits(*shape)
        first = ((bits & 0xFFFFFFFF).float() + 0.5) * 2.0**-32  # never 0; 1 at most
        angle = ((bits >> 32) & 0xFFFFFFFF).float() * (2 * math.pi * 2.0**-32)
        return (-2 * first.clamp(max=1).log()).sqrt() * angle.cos()

    def permutation(self, n: int) -> Tensor:
        """Return (B, n) int64: a permutation of 0 to n - 1 per sample."""
        return self.bits(n).argsort(dim=1, stable=True)


def _signed(value: int) -> int:
    """Return the low 64 bits of an integer as a signed number, which is how torch holds them."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


_GAMMA, _FIRST, _SECOND = (
    _signed(v) for v in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


def _mix(z: Tensor) -> Tensor:
    """One step of SplitMix64; integer overflow wraps around, and >> keeps the sign, so the upper
    bits are masked.
    """
    z = z + _GAMMA
    z = (z ^ ((z >> 30) & (2**34 - 1))) * _FIRST
    z = (z ^ ((z >> 27) & (2**37 - 1))) * _SECOND
    return z ^ ((z >> 31) & (2**33 - 1))
