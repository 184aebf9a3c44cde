"""The head of self-distillation: from an embedding to scores of prototypes."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from pcdet_kd.layers.linear import Linear


class ProjectionHead(nn.Module):
    """An MLP, length 1, and a weight-normalised linear layer, as in DINO (Caron et al., 2021) and
    AsymDSD.

    As AsymDSD's code has it, the last layer has a bias and learns the lengths of its rows; DINO has
    neither. AsymDSD-S: 2,763,008 parameters.

    Initial weights: truncated normal, 0.02, biases 0. The last layer's directions are torch's
    default, and its lengths follow from them, because that code's initialisation does not reach
    them.

    Args:
        in_channels: Channels D of the embedding.
        num_prototypes: Number Z of prototypes.
        hidden_channels: Widths of the hidden layers, each followed by GELU.
        bottleneck: Channels that are made length 1.
    """

    def __init__(
        self,
        in_channels: int,
        num_prototypes: int = 4096,
        hidden_channels: Sequence[int] = (1024, 1024),
        bottleneck: int = 256,
    ) -> None:
        super().__init__()
        widths = (in_channels, *hidden_channels, bottleneck)
        self.layers = nn.ModuleList(Linear(a, b) for a, b in itertools.pairwise(widths))
        for layer in self.layers:
            nn.init.trunc_normal_(layer.weight, std=0.02, a=-0.1, b=0.1)
            nn.init.zeros_(layer.bias)
        self.last = weight_norm(nn.Linear(bottleneck, num_prototypes))
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_channels) to (..., num_prototypes)."""
        for layer in self.layers[:-1]:
            x = F.gelu(layer(x))
        return self.last(F.normalize(self.layers[-1](x), dim=-1, eps=1e-6))
