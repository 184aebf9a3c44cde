"""Heads: from a backbone's global feature to logits, losses and predictions.

A head is a ``BaseModule`` registered in ``HEADS``: ``feature(global_feat)``, ``classify(feature)``,
``forward`` (one after the other), ``loss(logits, samples)``, ``predict(logits, samples)``, and the
attribute ``feat_channels``.

A decode head, registered in ``DECODE_HEADS``, gives each point a part: ``forward(points, features,
category)``, ``loss(logits, samples)`` and ``predict(logits, samples, class_parts, category)``; see
:class:`DecodeHead`.
"""

from pcdet_kd.heads.clip_text_head import CLIPTextHead
from pcdet_kd.heads.decode_head import DecodeHead
from pcdet_kd.heads.dgcnn_decode_head import DGCNNDecodeHead
from pcdet_kd.heads.mlp_head import MLPHead
from pcdet_kd.heads.point_vit_decode_head import PointViTDecodeHead
from pcdet_kd.heads.pointmlp_decode_head import PointMLPDecodeHead
from pcdet_kd.heads.pointnet2_decode_head import PointNet2DecodeHead

__all__ = [
    'CLIPTextHead',
    'DGCNNDecodeHead',
    'DecodeHead',
    'MLPHead',
    'PointMLPDecodeHead',
    'PointNet2DecodeHead',
    'PointViTDecodeHead',
]
