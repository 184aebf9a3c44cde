"""The plain transformers of Point-MAE and AsymDSD on point patches, with the keys of their
published weights.
"""

from collections.abc import Sequence

import peers
import torch
from torch import Tensor, nn

from .parts import Usual


def patchify(
    points: Tensor, num_patches: int, patch_size: int, start: int = 0, skip: float | None = None
) -> tuple[Tensor, Tensor]:
    """Return (B, P, K, 3) patches of nearest points, relative to their centres, and the centres (B,
    P, 3).
    """
    centres = peers.index_points(
        points, peers.farthest_point_sample(points, num_patches, start, skip)
    )
    index = peers.square_distance(centres, points).topk(patch_size, dim=-1, largest=False)[1]
    return peers.index_points(points, index) - centres[:, :, None], centres


def mlp_head(in_channels: int, num_classes: int, act: type[nn.Module], bias: bool) -> nn.Sequential:
    """Linear, BatchNorm, activation and dropout, twice, and a linear layer."""
    layers: list[nn.Module] = []
    for width in (in_channels, 256):
        layers += [nn.Linear(width, 256, bias=bias), nn.BatchNorm1d(256), act(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(256, num_classes, bias=bias))


class DropPath(nn.Module):
    """Stochastic depth: leave out a residual branch for some of the clouds."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if self.rate == 0 or not self.training:
            return x
        keep = 1 - self.rate
        return x * x.new_empty(len(x), 1, 1).bernoulli_(keep).div_(keep)


class MAEAttention(nn.Module):
    """Self-attention with its matrix of weights."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads, self.scale = num_heads, (channels // num_heads) ** -0.5
        self.qkv, self.proj = (
            nn.Linear(channels, 3 * channels, bias=False),
            nn.Linear(channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        batch, n, channels = x.shape
        q, k, v = self.qkv(x).reshape(batch, n, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        weights = ((q @ k.transpose(-2, -1)) * self.scale).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(batch, n, channels))


class MAEMLP(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1, self.act, self.fc2 = (
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class MAEBlock(nn.Module):
    """Point-MAE's pre-norm block."""

    def __init__(self, channels: int, num_heads: int, drop_path: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.drop_path = DropPath(drop_path)
        self.mlp, self.attn = MAEMLP(channels), MAEAttention(channels, num_heads)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class MAETokenizer(nn.Module):
    """Point-MAE's small PointNet: the pooled features come before a point's own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(
            nn.Conv1d(3, 128, 1), nn.BatchNorm1d(128), nn.ReLU(inplace=True), nn.Conv1d(128, 256, 1)
        )
        self.second_conv = nn.Sequential(
            nn.Conv1d(512, 512, 1),
            nn.BatchNorm1d(512),
            nn.ReLU(inplace=True),
            nn.Conv1d(512, channels, 1),
        )

    def forward(self, patches: Tensor) -> Tensor:
        batch, count, k, _ = patches.shape
        x = self.first_conv(patches.reshape(batch * count, k, 3).transpose(2, 1))
        pooled = x.max(dim=2, keepdim=True)[0]
        x = self.second_conv(torch.cat([pooled.expand(-1, -1, k), x], dim=1))
        return x.max(dim=2)[0].reshape(batch, count, -1)


class MAEEncoder(nn.Module):
    """Point-MAE's blocks; positions are added before each."""

    def __init__(self, channels: int, depth: int, num_heads: int, drop_path: float) -> None:
        super().__init__()
        rates = torch.linspace(0, drop_path, depth, device='cpu').tolist()
        self.blocks = nn.ModuleList(MAEBlock(channels, num_heads, rate) for rate in rates)

    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x + position)
        return x


class PointMAE(nn.Module):
    """Point-MAE's transformer with its classification head; its sampling passes over points near
    the origin.
    """

    def __init__(
        self,
        num_classes: int = 40,
        channels: int = 384,
        depth: int = 12,
        num_heads: int = 6,
        num_patches: int = 64,
        patch_size: int = 32,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        self.num_patches, self.patch_size = num_patches, patch_size
        self.cls_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, channels), std=0.02))
        self.cls_pos = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, channels), std=0.02))
        self.encoder = MAETokenizer(channels)
        self.pos_embed = nn.Sequential(nn.Linear(3, 128), nn.GELU(), nn.Linear(128, channels))
        self.blocks = MAEEncoder(channels, depth, num_heads, drop_path)
        self.norm = nn.LayerNorm(channels)
        self.cls_head_finetune = mlp_head(2 * channels, num_classes, nn.ReLU, bias=True)

    def forward(self, points: Tensor) -> Tensor:
        patches, centres = patchify(points, self.num_patches, self.patch_size, skip=1e-3)
        batch = len(points)
        x = torch.cat([self.cls_token.expand(batch, -1, -1), self.encoder(patches)], dim=1)
        position = torch.cat([self.cls_pos.expand(batch, -1, -1), self.pos_embed(centres)], dim=1)
        x = self.norm(self.blocks(x, position))
        return self.cls_head_finetune(torch.cat([x[:, 0], x[:, 1:].max(1)[0]], dim=-1))


class PatchEmbedding(nn.Module):
    """AsymDSD's small PointNet, a point's own features before the pooled ones, and its embedding of
    the centres.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.point_embedding = nn.ModuleDict(
            dict(block_1=self.block(3, 128, 256), block_2=self.block(512, 512, channels))
        )
        self.position_embedding = nn.ModuleDict(
            dict(
                position_embedding=nn.Sequential(
                    nn.Linear(3, 128), nn.GELU(), nn.Linear(128, channels)
                )
            )
        )

    @staticmethod
    def block(in_channels: int, hidden: int, out_channels: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(in_channels, hidden, bias=False),
            nn.RMSNorm(hidden, eps=1e-5),
            nn.GELU(),
            nn.Linear(hidden, out_channels, bias=False),
        )

    def forward(self, patches: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
        x = self.point_embedding['block_1'](patches)
        pooled = x.max(dim=2, keepdim=True)[0]
        x = self.point_embedding['block_2'](torch.cat([x, pooled.expand_as(x)], dim=-1))
        return x.max(dim=2)[0], self.position_embedding['position_embedding'](centres)


class SelfAttention(nn.Module):
    """Norm and multi-head attention."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(channels, eps=1e-5)
        self.attn = nn.MultiheadAttention(channels, num_heads, bias=False, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        return self.attn(x, x, x, need_weights=False)[0]


class FeedForward(nn.Module):
    """Norm and two linear layers with a GELU between."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(channels, eps=1e-5)
        self.mlp = nn.ModuleDict(
            dict(
                linear_1=nn.Linear(channels, 4 * channels, bias=False),
                act=nn.GELU(),
                linear_2=nn.Linear(4 * channels, channels, bias=False),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.norm, *self.mlp.values()):
            x = layer(x)
        return x


class AsymBlock(nn.Module):
    """AsymDSD's pre-norm block; positions are added in it."""

    def __init__(self, channels: int, num_heads: int, drop_path: float) -> None:
        super().__init__()
        self.self_attn, self.ffn, self.drop_path = (
            SelfAttention(channels, num_heads),
            FeedForward(channels),
            DropPath(drop_path),
        )

    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        x = x + position
        x = x + self.drop_path(self.self_attn(x))
        return x + self.drop_path(self.ffn(x))


class AsymEncoder(nn.Module):
    """AsymDSD's blocks and last norm."""

    def __init__(self, channels: int, depth: int, num_heads: int, drop_path: float) -> None:
        super().__init__()
        rates = torch.linspace(0, drop_path, depth, device='cpu').tolist()
        self.stack = nn.ModuleList(AsymBlock(channels, num_heads, rate) for rate in rates)
        self.norm = nn.RMSNorm(channels, eps=1e-5)

    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        for block in self.stack:
            x = block(x, position)
        return self.norm(x)


class AsymDSD(nn.Module):
    """AsymDSD-S's transformer.

    Args:
        num_classes: 0: return the feature (class token, mean and maximum over the patches) instead
            of logits.
        class_token: False: mean and maximum only.
        middle: The first centre is the point in the middle of the storage order, as in its
            deterministic mode, else point 0.
    """

    def __init__(
        self,
        num_classes: int = 40,
        channels: int = 384,
        depth: int = 12,
        num_heads: int = 6,
        num_patches: int = 64,
        patch_size: int = 32,
        drop_path: float = 0.2,
        class_token: bool = True,
        middle: bool = True,
    ) -> None:
        super().__init__()
        self.num_patches, self.patch_size, self.middle = num_patches, patch_size, middle
        self.cls_token = (
            nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, channels), std=0.02))
            if class_token
            else None
        )
        self.patch_embedding = PatchEmbedding(channels)
        self.encoder = AsymEncoder(channels, depth, num_heads, drop_path)
        self.head = (
            mlp_head((2 + class_token) * channels, num_classes, nn.GELU, bias=False)
            if num_classes
            else nn.Identity()
        )

    def forward(self, points: Tensor) -> Tensor:
        start = points.shape[1] // 2 if self.middle else 0
        x, position = self.patch_embedding(
            *patchify(points, self.num_patches, self.patch_size, start)
        )
        pooled: Sequence[Tensor] = ()
        if self.cls_token is not None:
            x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1)
            position = torch.cat([torch.zeros_like(position[:, :1]), position], dim=1)
        x = self.encoder(x, position)
        if self.cls_token is not None:
            pooled, x = (x[:, 0],), x[:, 1:]
        return self.head(torch.cat([*pooled, x.mean(1), x.max(1)[0]], dim=-1))


_TINY = dict(channels=16, depth=2, num_heads=2, num_patches=32, patch_size=4, drop_path=0.0)
_OURS = dict(embed_dims=16, depth=2, num_heads=2, num_patches=32, patch_size=4, drop_path=0.0)
USUAL = {
    'point_mae': Usual(PointMAE, {}, _TINY, _OURS, 'point_mae_cls'),
    'asymdsd_s': Usual(
        AsymDSD, dict(class_token=False), dict(_TINY, middle=False), dict(_OURS, fps_start=0)
    ),
}
OFFICIAL = {
    'point_mae_cls': Usual(PointMAE, dict(num_classes=15), _TINY, _OURS, 'point_mae_cls'),
    'asymdsd_s_encoder': Usual(AsymDSD, dict(num_classes=0), _TINY, _OURS, 'asymdsd_s_encoder'),
}
