"""AsymDSD's pre-training step in the form and under the names of the published code: heads on all
tokens, tokens embedded for each use, targets repeated for each mask.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from .point_vit import AsymDSD, FeedForward


class CrossAttention(nn.Module):
    """Norm of the queries and multi-head attention to a memory."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(channels, eps=1e-5)
        self.attn = nn.MultiheadAttention(channels, num_heads, bias=False, batch_first=True)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        return self.attn(self.norm(x), memory, memory, need_weights=False)[0]


class PredictorBlock(nn.Module):
    """A decoder block without self-attention."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.cross_attn, self.ffn = CrossAttention(channels, num_heads), FeedForward(channels)

    def forward(self, x: Tensor, position: Tensor, memory: Tensor) -> Tensor:
        x = x + position
        x = x + self.cross_attn(x, memory)
        return x + self.ffn(x)


class Predictor(nn.Module):
    """Blocks of another width between two linear layers."""

    def __init__(self, channels: int, width: int, depth: int, num_heads: int) -> None:
        super().__init__()
        self.module = nn.Module()
        self.module.stack = nn.ModuleList(PredictorBlock(width, num_heads) for _ in range(depth))
        self.module.norm = nn.RMSNorm(width, eps=1e-5)
        self.embedding, self.projection = nn.Linear(channels, width), nn.Linear(width, channels)

    def forward(self, x: Tensor, position: Tensor, memory: Tensor) -> Tensor:
        x, position, memory = self.embedding(x), self.embedding(position), self.embedding(memory)
        for block in self.module.stack:
            x = block(x, position, memory)
        return self.projection(self.module.norm(x))


class Head(nn.Module):
    """Three linear layers, length 1, prototypes."""

    def __init__(self, channels: int, hidden: int, bottleneck: int, prototypes: int) -> None:
        super().__init__()
        self.mlp = nn.Module()
        self.mlp.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.Identity(), nn.GELU(), nn.Dropout(0.0),
            nn.Linear(hidden, hidden), nn.Identity(), nn.GELU(), nn.Dropout(0.0),
            nn.Linear(hidden, bottleneck),
        )  # fmt: skip
        self.linear = weight_norm(nn.Linear(bottleneck, prototypes))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(F.normalize(self.mlp.mlp(x), dim=-1, eps=1e-6))


class Centering(nn.Module):
    """The running mean of a teacher's scores."""

    def __init__(self, prototypes: int) -> None:
        super().__init__()
        self.register_buffer('center', torch.zeros(prototypes))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - self.center
        self.center = 0.9 * self.center + 0.1 * x.flatten(0, -2).mean(dim=0)
        return centred


class PlainAsymDSD(nn.Module):
    """Student and teacher, and one step of them.

    Args:
        mode: ``'dual'``, ``'cls'`` or ``'mpm'``.
        encoder: Arguments of the encoder.
        head: Hidden width, bottleneck and prototypes.
        predictor: Width, depth and heads.
    """

    def __init__(
        self,
        mode: str = 'dual',
        encoder: dict[str, Any] | None = None,
        head: tuple[int, int, int] = (1024, 256, 4096),
        predictor: tuple[int, int, int] = (192, 6, 3),
    ) -> None:
        super().__init__()
        encoder = {'channels': 384, 'drop_path': 0.0, **(encoder or {})}
        width = encoder['channels']
        self.mode, self.student, self.teacher = mode, nn.ModuleDict(), nn.ModuleDict()
        for part in (self.student, self.teacher):
            part['point_encoder'] = AsymDSD(num_classes=0, class_token=mode != 'mpm', **encoder)
            if mode != 'cls':
                part['patch_projection_head'] = Head(width, *head)
            if mode != 'mpm':
                part['cls_projection_head'] = Head(width, *head)
        if mode != 'cls':
            self.student['predictor'] = Predictor(width, *predictor)
            self.teacher['patch_centering'] = Centering(head[2])
        if mode != 'mpm':
            self.teacher['cls_centering'] = Centering(head[2])
        self.mask_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, width), std=0.02))
        source = self.student.state_dict()
        kept = self.teacher.state_dict()
        self.teacher.load_state_dict({key: source.get(key, kept[key]) for key in kept})
        self.teacher.requires_grad_(False)

    @staticmethod
    def patches(points: Tensor, centre_index: Tensor, patch_index: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise crops (R, N, 3) and gather patches (R, P, K, 3) and centres (R, P, 3)."""
        points = points - points.mean(dim=1, keepdim=True)
        points = points / points.norm(dim=-1).max(dim=1)[0][:, None, None]
        rows = torch.arange(len(points))
        centres = points[rows[:, None], centre_index]
        return points[rows[:, None, None], patch_index] - centres[:, :, None], centres

    @staticmethod
    def encode(encoder: AsymDSD, tokens: Tensor, position: Tensor) -> Tensor:
        if encoder.cls_token is not None:
            tokens = torch.cat([encoder.cls_token.expand(len(tokens), -1, -1), tokens], dim=1)
            position = torch.cat([torch.zeros_like(position[:, :1]), position], dim=1)
        return encoder.encoder(tokens, position)

    def step(
        self,
        crops: tuple[Tensor, Tensor, Tensor],
        local: tuple[Tensor, Tensor, Tensor] | None,
        mask: Tensor | None,
        temperatures: tuple[float, float] = (0.04, 0.05),
    ) -> dict[str, Tensor]:
        """Return ``cls``, ``patch``, ``koleo``, ``regression`` and ``total``.

        Args:
            crops: Points (B, C, N, 3), centres (B, C, P), patches (B, C, P, K).
            local: The same of local crops.
            mask: (B * C * M, P) bool.
            temperatures: Of the teacher: class token, patches.
        """
        batch, views = crops[0].shape[:2]
        patches, centres = self.patches(*(part.flatten(0, 1) for part in crops))
        s, t, terms = self.student, self.teacher, {}
        with torch.no_grad():
            seen = self.encode(
                t['point_encoder'], *t['point_encoder'].patch_embedding(patches, centres)
            )
            if self.mode != 'mpm':
                scores = t['cls_centering'](t['cls_projection_head'](seen[:, 0]))
                target = (scores / temperatures[0]).softmax(-1).view(batch, views, -1)
                seen = seen[:, 1:]
            if self.mode != 'cls':
                scores = t['patch_centering'](t['patch_projection_head'](seen))
                masks = len(mask) // len(patches)
                hidden_target = scores.repeat_interleave(masks, 0)[mask]
                hidden_seen = seen.repeat_interleave(masks, 0)[mask]

        def class_token(patches: Tensor, centres: Tensor) -> Tensor:
            embedded = s['point_encoder'].patch_embedding(patches, centres)
            return self.encode(s['point_encoder'], *embedded)[:, 0].unflatten(0, (batch, -1))

        def pairs(target: Tensor, embeddings: Tensor) -> Tensor:
            student = (s['cls_projection_head'](embeddings) / 0.1).log_softmax(-1)
            return -(target[:, :, None] * student[:, None]).sum(-1).mean()

        kinds, spread = [], []
        if self.mode != 'mpm':
            whole = slice(None) if self.mode == 'cls' else slice(0, 1)
            chosen = (
                x.unflatten(0, (batch, views))[:, whole].flatten(0, 1) for x in (patches, centres)
            )
            spread.append(class_token(*chosen))
            kinds.append(pairs(target if self.mode == 'cls' else target[:, 1:], spread[0]))
        if self.mode != 'cls':
            tokens, position = s['point_encoder'].patch_embedding(
                patches.repeat_interleave(masks, 0), centres.repeat_interleave(masks, 0)
            )
            rows = len(mask)
            memory = self.encode(
                s['point_encoder'],
                tokens[~mask].view(rows, -1, tokens.shape[-1]),
                position[~mask].view(rows, -1, tokens.shape[-1]),
            )
            where = position[mask].view(rows, -1, tokens.shape[-1])
            queries = self.mask_token.expand(*where.shape[:2], -1)
            predicted = s['predictor'](queries, where, memory).flatten(0, 1)
            student = (s['patch_projection_head'](predicted) / 0.1).log_softmax(-1)
            terms['patch'] = (
                -((hidden_target / temperatures[1]).softmax(-1) * student).sum(-1).mean()
            )
            if self.mode == 'mpm':
                terms['regression'] = F.smooth_l1_loss(predicted, hidden_seen, beta=2.0)
            else:
                spread.append(memory[:, 0].unflatten(0, (batch, -1)))
                kinds.append(pairs(target, spread[1]))
        if self.mode != 'mpm':
            if local is not None:
                flat = self.patches(*(part.flatten(0, 1) for part in local))
                kinds.append(pairs(target, class_token(*flat)))
            terms['cls'] = sum(kinds) / len(kinds)
            terms['koleo'] = koleo(torch.cat(spread, dim=1))
        weights = {'koleo': 0.01}
        scale = sum(weights.get(name, 1.0) for name in terms)
        total = sum(weights.get(name, 1.0) * value for name, value in terms.items()) / scale
        return dict(terms, total=total)


def koleo(views: Tensor) -> Tensor:
    """Return KoLeo of (B, V, D), view by view."""
    x = F.normalize(views, dim=-1).transpose(0, 1)
    similar = x @ x.transpose(1, 2)
    similar.diagonal(dim1=1, dim2=2).fill_(-1)
    nearest = similar.argmax(dim=2)
    other = torch.stack([each[index] for each, index in zip(x, nearest)])
    return -((x - other).norm(dim=-1) + 1e-6).log().mean()
