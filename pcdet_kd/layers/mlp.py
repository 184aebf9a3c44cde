"""Point-wise MLPs on channel-last tensors.

A linear layer on the last axis and BatchNorm over the flattened rows compute what the 1x1
convolutions of most point networks compute; on CPU they do so without the copies.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from pcdet_kd.layers.linear import Linear
from pcdet_kd.layers.rms_norm import RMSNorm
from pcdet_kd.utils.arguments import check_choice

_NORMS = {'bn': nn.BatchNorm1d, 'ln': nn.LayerNorm, 'rms': RMSNorm}
_ACTS = {
    'relu': lambda: nn.ReLU(inplace=True),
    'leaky_relu': lambda: nn.LeakyReLU(0.2, inplace=True),
    'gelu': nn.GELU,
}


class LinearNormAct(nn.Module):
    """Linear, normalisation, activation and dropout on the last axis of (..., C).

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        norm: ``'bn'`` (statistics over all rows), ``'ln'``, ``'rms'`` (RMSNorm) or None.
        act: ``'relu'``, ``'leaky_relu'`` (slope 0.2), ``'gelu'`` or None.
        bias: Whether the linear layer has a bias.
        dropout: Dropout probability.
        dropout_first: Drop before the normalisation instead of after the activation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm: str | None = 'bn',
        act: str | None = 'relu',
        bias: bool = True,
        dropout: float = 0.0,
        dropout_first: bool = False,
    ) -> None:
        super().__init__()
        check_choice('norm', norm, (*_NORMS, None))
        check_choice('act', act, (*_ACTS, None))
        self.out_channels = out_channels
        self.linear = Linear(in_channels, out_channels, bias=bias)
        self.norm = _NORMS[norm](out_channels) if norm else None
        self.act = _ACTS[act]() if act else None
        if norm is None and isinstance(self.act, (nn.ReLU, nn.LeakyReLU)):
            self.act.inplace = (
                False  # on a linear layer's output, a view: its gradient would be copied twice
            )
        self.drop = nn.Dropout(dropout) if dropout else None
        self.dropout_first = dropout_first

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_channels) to (..., out_channels)."""
        return self.finish(self.linear(x))

    def finish(self, x: Tensor) -> Tensor:
        """Do what follows the linear layer, on its output (..., out_channels) computed
        elsewhere.
        """
        # rows until the end, so that no activation in place meets a view
        rows = x if self.norm is None or x.dim() == 2 else x.flatten(0, -2)
        if self.drop is not None and self.dropout_first:
            rows = self.drop(rows)
        if self.norm is not None:
            rows = self.norm(rows)
        if self.act is not None:
            rows = self.act(rows)
        if self.drop is not None and not self.dropout_first:
            rows = self.drop(rows)
        return rows if rows.dim() == x.dim() else rows.view(x.shape)


class MLP(nn.Sequential):
    """A chain of :class:`LinearNormAct`, the same for every row.

    Args:
        channels: Widths, input first: n + 1 numbers for n layers. One number alone is the identity.
        norm: As in :class:`LinearNormAct`.
        act: As in :class:`LinearNormAct`.
        bias: Whether linear layers have a bias; one value, or one per layer.
        dropout: Dropout probability; one value, or one per layer.
        dropout_first: As in :class:`LinearNormAct`.
        last_act: Whether the last layer has the activation too.
    """

    def __init__(
        self,
        channels: Sequence[int],
        norm: str | None = 'bn',
        act: str | None = 'relu',
        bias: bool | Sequence[bool] = True,
        dropout: float | Sequence[float] = 0.0,
        dropout_first: bool = False,
        last_act: bool = True,
    ) -> None:
        layers = len(channels) - 1
        biases, drops = per_layer('bias', bias, layers), per_layer('dropout', dropout, layers)
        super().__init__(
            *(
                LinearNormAct(
                    channels[i],
                    channels[i + 1],
                    norm,
                    act if last_act or i < layers - 1 else None,
                    biases[i],
                    drops[i],
                    dropout_first,
                )
                for i in range(layers)
            )
        )
        self.out_channels = channels[-1]


class ResidualMLP(nn.Module):
    """``relu(x + MLP(x))`` with one hidden layer, the residual block of PointMLP (Ma et al., 2022).

    Args:
        channels: C of input and output.
        ratio: Width of the hidden layer as a multiple of ``channels``.
        bias: Whether linear layers have a bias.
    """

    def __init__(self, channels: int, ratio: float = 1.0, bias: bool = False) -> None:
        super().__init__()
        hidden = int(channels * ratio)
        if hidden < 1:
            raise ValueError(f'ratio {ratio} of {channels} channels leaves no hidden channel')
        self.net1 = LinearNormAct(channels, hidden, bias=bias)
        self.net2 = LinearNormAct(hidden, channels, act=None, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        return (x + self.net2(self.net1(x))).relu()


def per_layer(name: str, value: object, layers: int) -> list:
    """Return ``value`` once per layer, or check that it has one item per layer.

    Raises:
        ValueError: ``value`` is a sequence of another length.
    """
    if not isinstance(value, (list, tuple)):
        return [value] * layers
    if len(value) != layers:
        raise ValueError(
            f'{name} has {len(value)} values {tuple(value)} for {layers} layers: give one, or one '
            'per layer'
        )
    return list(value)
