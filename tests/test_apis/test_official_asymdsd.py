import re

import pytest
import torch

from pcdet_kd.apis.official_asymdsd import ASYMDSD_PRETRAIN, pretrain_model
from pcdet_kd.registry import MODELS


@pytest.mark.parametrize(('mode', 'heads'), [('dual', 2), ('cls', 1), ('mpm', 1)])
def test_size_s_has_the_published_parameters(mode, heads):
    """remcofl/AsymDSD: size of encoder, of each head, of the predictor; the mask token beside."""
    with torch.device('meta'):
        model = MODELS.build(pretrain_model(mode))
    teacher = 21_786_240 - 384 * (mode == 'mpm') + heads * 2_763_008
    predictor = (2_804_736 + 384) * (mode != 'cls')
    assert sum(p.numel() for p in model.teachers.parameters()) == teacher
    assert sum(p.numel() for p in model.student.parameters()) == teacher + predictor


def test_no_key_has_two_rules():
    keys = [
        'student.point_encoder.cls_token',
        'teacher.point_encoder.encoder.stack.3.self_attn.attn.in_proj_weight',
        'teacher.patch_projection_head.linear.parametrizations.weight.original0',
        'student.predictor.module.stack.5.cross_attn.attn.in_proj_weight',
        'teacher.cls_centering.center',
        'mask_token',
    ]
    for key in keys:
        assert sum(bool(re.fullmatch(pattern, key)) for pattern, _ in ASYMDSD_PRETRAIN) == 1, key
