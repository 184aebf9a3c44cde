"""A plain vision transformer on point patches: Point-MAE's and AsymDSD's encoders."""

import math
from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import (
    MiniPointNet,
    PatchGrouper,
    PositionEmbedding,
    Transformer,
    check_in_channels,
    max_pool,
    split_points,
    take_visible,
)
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import Level, PointFeatures
from pcdet_kd.utils.arguments import from_preset

_MAE = dict(norm='bn', act='relu', bias=True, pooled_first=True)
_DSD = dict(norm='rms', act='gelu', bias=False, pooled_first=False)
_DEEP = dict(
    first=(256, 512, 1024), second=(2048,), norm='rms', act='gelu', bias=True, pooled_first=False
)
_PRESETS = {
    'point_mae': dict(
        embed_dims=384,
        depth=12,
        num_heads=6,
        norm='ln',
        bias=True,
        tokenizer=_MAE,
        class_position=True,
        fps_start=0,
        compat='pointnet2',
        drop_path=0.1,
        pool=('cls', 'max'),
    ),
    'asymdsd_s': dict(
        embed_dims=384,
        depth=12,
        num_heads=6,
        norm='rms',
        bias=False,
        tokenizer=_DSD,
        class_position=False,
        fps_start='random',
        compat=None,
        drop_path=0.2,
        pool=('cls', 'mean', 'max'),
    ),
}
_PRESETS['asymdsd_b'] = dict(_PRESETS['asymdsd_s'], embed_dims=768, num_heads=12, tokenizer=_DEEP)
_PRESETS['asymdsd_l'] = dict(
    _PRESETS['asymdsd_s'], embed_dims=1024, depth=24, num_heads=16, tokenizer=_DEEP
)


@BACKBONES.register_module()
class PointViT(BaseModule):
    """The plain point transformer of Point-MAE (Pang et al., ECCV 2022) and AsymDSD (NeurIPS 2025).

    A cloud becomes P patches of K points around farthest points; a small PointNet turns each into a
    token; pre-norm blocks see the tokens and a class token, with the embedded centres added before
    every block.

    Values of ``preset``, with their numbers of parameters and their differences:

    * ``point_mae`` (21,825,792): LayerNorm, biases except at q, k, v; BatchNorm and ReLU in the
      tokeniser; learned position of the class token. With the head of its code, 22,093,327 for 15
      classes.
    * ``asymdsd_s`` (21,786,240): RMSNorm, no biases; RMSNorm and GELU in the tokeniser; no position
      of the class token.
    * ``asymdsd_b`` (91,484,928): as S, 768 channels, a deeper tokeniser with biases (the paper says
      91.8 M; its code has this).
    * ``asymdsd_l`` (309,128,960): as B, 1,024 channels, 24 blocks.

    Published sizes: 64 patches of 32 for 1,024 points, 128 for 2,048 (ScanObjectNN). Point-MAE
    samples with the CUDA extension's hole at the origin (``compat='pointnet2'``); AsymDSD from a
    random point in training. Drop paths are those of fine-tuning (0.1 and 0.2, rising over the
    blocks); B and L were pre-trained with 0.2 and 0.4, ``drop_path_ramp=False,
    efficient_drop_path=True``.

    Initial weights: truncated normal, 0.02, biases 0, tokens as well. AsymDSD's packed projection
    to q, k, v is Xavier uniform instead, because that code's initialisation does not reach it.

    ``stages`` of the output: the patch tokens (B, D, P) after a third, two thirds and all of the
    blocks, before the last normalisation. ``point_feats`` (B, D, P) are the normalised ones, at the
    centres ``coords`` (B, P, 3). ``levels``: the tokens of all three, normalised, which is what
    part segmentation takes.

    Any N: a cloud smaller than P or K uses all its points. Point-MAE's BatchNorm sees B * P * K
    rows in training, and needs more than one.

    :meth:`patchify`, :meth:`embed` and :meth:`encode` are the three parts of :meth:`forward`;
    masked pre-training calls them one by one.

    Args:
        preset: One of the table; None below means its value.
        in_channels: Channels of the points, xyz first; further ones are further inputs of the
            tokeniser.
        embed_dims: D.
        depth: Blocks.
        num_heads: Attention heads.
        num_patches: P.
        patch_size: K.
        drop_path: Rate of the last block.
        drop_path_ramp: Rise linearly from 0; False: one rate.
        efficient_drop_path: As in :class:`DropPath`.
        class_token: Whether there is one; AsymDSD's MPM mode has none.
        pool: What the global feature is made of, concatenated: of ``'cls'``, ``'mean'`` and
            ``'max'`` (over patches, without the class token).
        fps_start: As in :class:`PatchGrouper`.
        compat: As in :class:`PatchGrouper`.
        tokenizer: Other arguments of :class:`MiniPointNet`.
        checkpointing: As in :class:`Transformer`.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        preset: str = 'point_mae',
        in_channels: int = 3,
        embed_dims: int | None = None,
        depth: int | None = None,
        num_heads: int | None = None,
        num_patches: int = 64,
        patch_size: int = 32,
        drop_path: float | None = None,
        drop_path_ramp: bool = True,
        efficient_drop_path: bool = False,
        class_token: bool = True,
        pool: Sequence[str] | None = None,
        fps_start: int | str | None = None,
        compat: str | None = 'preset',
        tokenizer: dict | None = None,
        checkpointing: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        chosen = from_preset(
            'preset',
            preset,
            _PRESETS,
            embed_dims=embed_dims,
            depth=depth,
            num_heads=num_heads,
            drop_path=drop_path,
            pool=pool,
            fps_start=fps_start,
        )
        self.pool = tuple(chosen['pool'])
        if (
            not self.pool
            or not set(self.pool) <= {'cls', 'mean', 'max'}
            or ('cls' in self.pool and not class_token)
        ):
            raise ValueError(
                f"pool is {self.pool}, must hold some of 'mean', 'max' and, with a class token, "
                "'cls'"
            )
        self.in_channels = check_in_channels(in_channels, 'PointViT')
        dim, depth = chosen['embed_dims'], chosen['depth']
        self.embed_dims = dim
        self.grouper = PatchGrouper(
            num_patches,
            patch_size,
            chosen['compat'] if compat == 'preset' else compat,
            chosen['fps_start'],
        )
        self.tokenizer = MiniPointNet(
            in_channels, out_channels=dim, **{**chosen['tokenizer'], **(tokenizer or {})}
        )
        self.position = PositionEmbedding(dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim)) if class_token else None
        self.cls_pos = (
            nn.Parameter(torch.zeros(1, 1, dim))
            if class_token and chosen['class_position']
            else None
        )
        self.encoder = Transformer(
            dim,
            depth,
            chosen['num_heads'],
            norm=chosen['norm'],
            bias=chosen['bias'],
            drop_path=chosen['drop_path'],
            drop_path_ramp=drop_path_ramp,
            efficient_drop_path=efficient_drop_path,
            checkpointing=checkpointing,
        )
        self.taps = tuple(sorted({math.ceil(depth * part / 3) - 1 for part in (1, 2, 3)}))
        self.out_channels = dim * len(self.pool)
        self.level_channels = (dim,) * len(self.taps)
        self._reset_parameters(xavier_qkv=preset != 'point_mae')

    def _reset_parameters(self, xavier_qkv: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                # at limits of -2 and 2 one of 16 million weights becomes -2, 100 deviations away
                nn.init.trunc_normal_(module.weight, std=0.02, a=-0.1, b=0.1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for token in (self.cls_token, self.cls_pos):
            if token is not None:
                nn.init.trunc_normal_(token, std=0.02, a=-0.1, b=0.1)
        if xavier_qkv:
            for block in self.encoder.blocks:
                nn.init.xavier_uniform_(block.attn.qkv.weight)

    def patchify(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, in_channels) to patches (B, P, K, in_channels) and centres (B, P, 3)."""
        split_points(points, self.in_channels, 'PointViT')
        return self.grouper(points)

    def embed(self, patches: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
        """Map patches (B, P, K, in_channels) and centres (B, P, 3) to tokens and positions (B, P,
        D).
        """
        return self.tokenizer(patches), self.position(centres)

    def encode(
        self,
        tokens: Tensor,
        positions: Tensor,
        mask: Tensor | None = None,
        taps: Sequence[int] = (),
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run the transformer.

        Args:
            tokens: (B, P, D).
            positions: (B, P, D).
            mask: (B * M, P) bool, True at tokens that stay out, M masks per cloud as in
                :func:`take_visible`; None: all come in. The transformer then has B * M rows of V
                visible tokens.
            taps: Indices of blocks whose output is wanted too.

        Returns:
            The normalised tokens (B, 1 + P, D) or (B * M, 1 + V, D), class token first if there is
            one, and the outputs of the blocks in ``taps``, shaped alike.
        """
        if mask is not None:
            tokens, positions = take_visible(tokens, mask), take_visible(positions, mask)
        if self.cls_token is not None:
            first = self.cls_token.expand(tokens.shape[0], -1, -1)
            place = (
                torch.zeros_like(first)
                if self.cls_pos is None
                else self.cls_pos.expand(tokens.shape[0], -1, -1)
            )
            tokens, positions = (
                torch.cat([first, tokens], dim=1),
                torch.cat([place, positions], dim=1),
            )
        return self.encoder(tokens, positions, taps=taps)

    def pooled(self, encoded: Tensor, pool: Sequence[str] | None = None) -> Tensor:
        """Map the output of :meth:`encode` (B, 1 + P, D) to the global feature (B, out_channels),
        or to one of other parts than the backbone's own ``pool``.
        """
        patches = encoded if self.cls_token is None else encoded[:, 1:]
        parts = dict(
            cls=lambda: encoded[:, 0],
            mean=lambda: patches.mean(dim=1),
            max=lambda: max_pool(patches, dim=1),
        )
        return torch.cat([parts[name]() for name in pool or self.pool], dim=-1)

    def forward(self, points: Tensor) -> PointFeatures:
        """Map (B, N, in_channels) to features; see the class."""
        patches, centres = self.patchify(points)
        encoded, taps = self.encode(*self.embed(patches, centres), taps=self.taps)
        skip = 0 if self.cls_token is None else 1
        stages = tuple(state[:, skip:].transpose(1, 2) for state in taps)
        normed = (*(self.encoder.norm(state) for state in taps[:-1]), encoded)
        return PointFeatures(
            self.pooled(encoded),
            encoded[:, skip:].transpose(1, 2),
            centres,
            stages,
            tuple(Level(centres, state[:, skip:]) for state in normed),
        )
