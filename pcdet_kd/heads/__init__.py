"""Heads: from a backbone's global feature to logits, losses and predictions.

A head is a ``BaseModule`` registered in ``HEADS``: ``feature(global_feat)``, ``classify(feature)``,
``forward`` (one after the other), ``loss(logits, samples)``, ``predict(logits, samples)``, and the
attribute ``feat_channels``.
"""

from pcdet_kd.heads.mlp_head import MLPHead

__all__ = ['MLPHead']
