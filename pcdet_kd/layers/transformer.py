"""Pre-norm transformer blocks for tokens of points, as in Point-MAE and AsymDSD."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from pcdet_kd.layers.drop_path import DropPath
from pcdet_kd.layers.linear import Linear
from pcdet_kd.layers.rms_norm import RMSNorm
from pcdet_kd.utils.arguments import check_choice

_NORMS = {'ln': partial(nn.LayerNorm, eps=1e-5), 'rms': RMSNorm}


def token_norm(norm: str, dim: int) -> nn.Module:
    """Return a normalisation of tokens, ``'ln'`` (LayerNorm) or ``'rms'`` (RMSNorm), with an
    epsilon of 1e-5.
    """
    check_choice('norm', norm, _NORMS)
    return _NORMS[norm](dim)


class Attention(nn.Module):
    """Multi-head attention; the projections to queries, keys and values are one matrix, in this
    order.

    Args:
        dim: Channels D.
        num_heads: Heads; each sees D / num_heads channels.
        qkv_bias: Whether the projections to queries, keys and values have a bias.
        bias: Whether the output projection has one.
    """

    def __init__(self, dim: int, num_heads: int, qkv_bias: bool = False, bias: bool = True) -> None:
        super().__init__()
        if dim % num_heads:
            raise ValueError(
                f'{dim} channels cannot be shared among {num_heads} heads: choose a divisor'
            )
        self.num_heads = num_heads
        self.qkv = Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = Linear(dim, dim, bias=bias)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Let each token look at the tokens of ``memory``.

        Args:
            x: (B, Q, D) where queries come from.
            memory: (B, S, D) where keys and values come from; None for x itself.
            mask: (Q, S) or (B, Q, S) bool, True where a query may look; None: everywhere. A query
                that may look nowhere has an undefined result.

        Returns:
            (B, Q, D).
        """
        if memory is None:
            q, k, v = self.qkv(x).chunk(3, dim=-1)
        else:
            dim, weight, bias = x.shape[-1], self.qkv.weight, self.qkv.bias
            q = F.linear(x, weight[:dim], None if bias is None else bias[:dim])
            k, v = F.linear(memory, weight[dim:], None if bias is None else bias[dim:]).chunk(
                2, dim=-1
            )
        q, k, v = (t.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for t in (q, k, v))
        if mask is not None and mask.dim() == 3:
            mask = mask.unsqueeze(1)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.proj(out.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Linear, GELU (by the error function), Linear.

    Args:
        dim: Channels of input and output.
        hidden: Channels between.
        bias: Whether the linear layers have a bias.
    """

    def __init__(self, dim: int, hidden: int, bias: bool = True) -> None:
        super().__init__()
        self.fc1 = Linear(dim, hidden, bias=bias)
        self.act = nn.GELU()
        self.fc2 = Linear(hidden, dim, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., dim) to (..., dim)."""
        return self.fc2(self.act(self.fc1(x)))


class TransformerBlock(nn.Module):
    r"""``x += pos``, ``x += attention(norm(x))``, ``x += feed_forward(norm(x))``.

    The position is added to the residual stream of every block, not only before the first. With a
    ``memory``, keys and values come from there, as it is (no norm, no position), and the tokens do
    not see each other: the block of AsymDSD's predictor.

    Args:
        dim: Channels D.
        num_heads: Attention heads.
        mlp_ratio: Hidden width of the feed-forward part as a multiple of D.
        norm: ``'ln'`` or ``'rms'``.
        qkv_bias: As in :class:`Attention`.
        bias: Whether all other linear layers have a bias.
        drop_path: Rate of :class:`DropPath` on both branches.
        efficient_drop_path: As in :class:`DropPath`.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        norm: str = 'ln',
        qkv_bias: bool = False,
        bias: bool = True,
        drop_path: float = 0.0,
        efficient_drop_path: bool = False,
    ) -> None:
        super().__init__()
        self.norm1 = token_norm(norm, dim)
        self.attn = Attention(dim, num_heads, qkv_bias, bias)
        self.norm2 = token_norm(norm, dim)
        self.mlp = FeedForward(dim, int(dim * mlp_ratio), bias)
        self.drop_path = DropPath(drop_path, efficient_drop_path)

    def forward(
        self,
        x: Tensor,
        pos: Tensor | None = None,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Map tokens (B, Q, D), positions of the same shape, and what :class:`Attention` takes, to
        (B, Q, D).
        """
        if pos is not None:
            x = x + pos
        if mask is not None and mask.dim() == 2:
            mask = mask.expand(x.shape[0], -1, -1)
        x = self.drop_path(
            x, lambda x, memory, mask: self.attn(self.norm1(x), memory, mask), memory, mask
        )
        return self.drop_path(x, lambda x: self.mlp(self.norm2(x)))


class Transformer(nn.Module):
    """A stack of :class:`TransformerBlock` and a last normalisation.

    Args:
        dim: Channels D.
        depth: Blocks.
        num_heads: As in :class:`TransformerBlock`, and so are the others unless said.
        mlp_ratio: Hidden width of the feed-forward part as a multiple of D.
        norm: ``'ln'`` or ``'rms'``.
        qkv_bias: Whether the projections to queries, keys and values have a bias.
        bias: Whether all other linear layers have one.
        drop_path: Rate of the last block.
        drop_path_ramp: Rise linearly from 0 in the first block; False: the same rate in all.
        efficient_drop_path: As in :class:`DropPath`.
        checkpointing: Compute each block again in the backward pass instead of keeping its
            activations.
    """

    def __init__(
        self,
        dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        norm: str = 'ln',
        qkv_bias: bool = False,
        bias: bool = True,
        drop_path: float = 0.0,
        drop_path_ramp: bool = True,
        efficient_drop_path: bool = False,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        rates = [drop_path * (i / max(1, depth - 1) if drop_path_ramp else 1) for i in range(depth)]
        self.blocks = nn.ModuleList(
            TransformerBlock(
                dim, num_heads, mlp_ratio, norm, qkv_bias, bias, rate, efficient_drop_path
            )
            for rate in rates
        )
        self.norm = token_norm(norm, dim)
        self.checkpointing = checkpointing

    def forward(
        self,
        x: Tensor,
        pos: Tensor | None = None,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        taps: Sequence[int] = (),
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run all blocks.

        Args:
            x: (B, Q, D) tokens.
            pos: (B, Q, D) their positions, added before every block, or None.
            memory: (B, S, D) other tokens to look at instead of x, the same for every block, or
                None.
            mask: As in :class:`Attention`.
            taps: Indices of blocks whose output is wanted too.

        Returns:
            The normalised output (B, Q, D), and the outputs after the blocks in ``taps``, not
            normalised.
        """
        taken = []
        for i, block in enumerate(self.blocks):
            if self.checkpointing and self.training and torch.is_grad_enabled():
                x = checkpoint(block, x, pos, memory, mask, use_reentrant=False)
            else:
                x = block(x, pos, memory, mask)
            if i in taps:
                taken.append(x)
        return self.norm(x), tuple(taken)
