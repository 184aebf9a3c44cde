import numpy as np
import pytest
import torch


class FixedDraws:
    """Hands out given numbers by the name of the generator's method; anything else comes from a
    real generator.
    """

    def __init__(self, seed=0, **given):
        self._real, self._given = (
            np.random.default_rng(seed),
            {name: list(values) for name, values in given.items()},
        )

    def __getattr__(self, name):
        def draw(*args, **kwargs):
            drawn = getattr(self._real, name)(*args, **kwargs)
            waiting = self._given.get(name)
            return waiting.pop(0) if waiting else drawn

        return draw


@pytest.fixture(scope='session')
def fixed_draws():
    return FixedDraws


@pytest.fixture
def clouds():
    """Six clouds of 32 points in the unit ball with one more column, the point's number, and
    one-hot labels of 4 classes.
    """
    generator = torch.Generator().manual_seed(0)
    xyz = torch.randn(6, 32, 3, generator=generator)
    xyz /= xyz.norm(dim=2).amax(1)[:, None, None]
    number = torch.arange(6 * 32.0).view(6, 32, 1)
    return torch.cat([xyz, number], dim=2), torch.eye(4)[torch.tensor([0, 1, 2, 3, 0, 1])]
