"""One of several batch augments, at random."""

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from pcdet_kd.registry import BATCH_AUGMENTS


@BATCH_AUGMENTS.register_module()
class RandomBatchAugment:
    """Apply one of several batch augments to a batch, or none (as in MMPretrain).

    Args:
        augments: Config of a batch augment, or several.
        probs: Probability of each, or one number for a single augment; what is missing to 1 is the
            probability that the batch stays as it is. None: all are equally probable, and one is
            always applied.
    """

    def __init__(
        self,
        augments: dict | Callable | Sequence[dict | Callable],
        probs: float | Sequence[float] | None = None,
    ) -> None:
        given = [augments] if isinstance(augments, dict) or callable(augments) else list(augments)
        self.augments = [BATCH_AUGMENTS.build(a) if isinstance(a, dict) else a for a in given]
        if probs is None:
            probs = [1 / max(1, len(given))] * len(given)
        self.probs = (
            [float(probs)] if isinstance(probs, (int, float)) else [float(p) for p in probs]
        )
        if not given or len(self.probs) != len(given):
            raise ValueError(
                f'{len(given)} augments and {len(self.probs)} probs: expected one probability for '
                'each augment, and at least one augment'
            )
        if min(self.probs) < 0 or sum(self.probs) > 1 + 1e-9:
            raise ValueError(f'probs are {self.probs}, must not be negative and sum to 1 at most')

    def __call__(
        self, points: Tensor, score: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return the batch after the augment that was drawn; if none was, the given tensors
        themselves. See :class:`BatchAugment`.
        """
        drawn = int(
            np.searchsorted(
                np.cumsum(self.probs), rng.random() * max(1.0, sum(self.probs)), side='right'
            )
        )
        return (
            self.augments[drawn](points, score, rng)
            if drawn < len(self.augments)
            else (points, score)
        )
