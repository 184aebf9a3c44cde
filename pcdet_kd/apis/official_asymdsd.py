"""How the keys and parts of AsymDSD's published checkpoints become ours: the encoder alone, and the
whole state of a pre-training.
"""

from typing import Any

ASYMDSD = (
    (r'cls_token', r'cls_token'),
    *(
        (rf'patch_embedding\.point_embedding\.{old}\.(.+)', rf'tokenizer.{new}.\1')
        for old, new in (
            (r'block_1\.0', 'first.0.linear'),
            (r'block_1\.1', 'first.0.norm'),
            (r'block_1\.3', 'first_out'),
            (r'block_2\.0', 'join.linear'),
            (r'block_2\.1', 'join.norm'),
            (r'block_2\.3', 'second_out'),
        )
    ),
    (r'patch_embedding\.position_embedding\.position_embedding\.0\.(.+)', r'position.fc1.\1'),
    (r'patch_embedding\.position_embedding\.position_embedding\.2\.(.+)', r'position.fc2.\1'),
    *(
        (rf'encoder\.stack\.(\d+)\.{old}', rf'encoder.blocks.\1.{new}')
        for old, new in (
            (r'self_attn\.norm\.weight', 'norm1.weight'),
            (r'self_attn\.attn\.in_proj_weight', 'attn.qkv.weight'),
            (r'self_attn\.attn\.out_proj\.weight', 'attn.proj.weight'),
            (r'ffn\.norm\.weight', 'norm2.weight'),
            (r'ffn\.mlp\.linear_1\.weight', 'mlp.fc1.weight'),
            (r'ffn\.mlp\.linear_2\.weight', 'mlp.fc2.weight'),
        )
    ),
    (r'encoder\.norm\.weight', 'encoder.norm.weight'),
)


def _asymdsd_pretrain() -> tuple[tuple[str, str], ...]:
    heads = tuple(
        (rf'{{}}\.{kind}_projection_head\.{old}', rf'{{}}.{kind}_head.{new}')
        for kind in ('cls', 'patch')
        for old, new in (
            (r'mlp\.mlp\.0\.(.+)', r'layers.0.\1'),
            (r'mlp\.mlp\.4\.(.+)', r'layers.1.\1'),
            (r'mlp\.mlp\.8\.(.+)', r'layers.2.\1'),
            (r'linear\.(.+)', r'last.\1'),
        )
    )
    encoder = tuple(
        (rf'{{}}\.point_encoder\.{old}', rf'{{}}.backbone.{new}') for old, new in ASYMDSD
    )
    both = tuple(
        (old.replace('{}', theirs), new.replace('{}', ours))
        for theirs, ours in (('student', 'student'), ('teacher', 'teachers.ema.model'))
        for old, new in (*encoder, *heads)
    )
    predictor = tuple(
        (rf'student\.predictor\.{old}', rf'student.predictor.{new}')
        for old, new in (
            (r'embedding\.(.+)', r'embed.\1'),
            (r'projection\.(.+)', r'project.\1'),
            (r'module\.norm\.weight', r'blocks.norm.weight'),
            *(
                (rf'module\.stack\.(\d+)\.{block}', rf'blocks.blocks.\1.{ours}')
                for block, ours in (
                    (r'cross_attn\.norm\.weight', 'norm1.weight'),
                    (r'cross_attn\.attn\.in_proj_weight', 'attn.qkv.weight'),
                    (r'cross_attn\.attn\.out_proj\.weight', 'attn.proj.weight'),
                    (r'ffn\.norm\.weight', 'norm2.weight'),
                    (r'ffn\.mlp\.linear_1\.weight', 'mlp.fc1.weight'),
                    (r'ffn\.mlp\.linear_2\.weight', 'mlp.fc2.weight'),
                )
            ),
        )
    )
    centres = tuple(
        (rf'teacher\.{kind}_centering\.center', f'losses.{kind}.centre')
        for kind in ('cls', 'patch')
    )
    return (*both, *predictor, *centres, (r'mask_token', 'student.mask_token'))


ASYMDSD_PRETRAIN = _asymdsd_pretrain()
# the published file of the mode without a predictor holds a mask token all the same
ASYMDSD_PRETRAIN_CLS = ((r'mask_token', None), *ASYMDSD_PRETRAIN)


def pretrain_model(mode: str) -> dict[str, Any]:
    """Return the config of AsymDSD-S in pre-training: ``'dual'``, ``'cls'`` or ``'mpm'``."""
    loss = dict(type='SelfDistillationLoss', num_prototypes=4096)
    backbone = dict(type='PointViT', preset='asymdsd_s', drop_path=0.0)
    losses = {}
    if mode == 'mpm':
        backbone.update(class_token=False, pool=('mean', 'max'))
    else:
        losses.update(cls=loss, koleo=dict(type='KoLeoLoss', loss_weight=0.01))
    if mode != 'cls':
        losses.update(patch=dict(loss, teacher_temperature=0.05))
    if mode == 'mpm':
        losses.update(regression=dict(type='FeatureSmoothL1Loss', beta=2.0))
    student = dict(
        type='MaskedPointEncoder',
        backbone=backbone,
        projection=dict(num_prototypes=4096, hidden_channels=(1024, 1024), bottleneck=256),
        predictor=None if mode == 'cls' else dict(embed_dims=192, depth=6, num_heads=3),
    )
    return dict(
        type='AsymDSD',
        student=student,
        teachers=dict(ema=dict(type='EMATeacher')),
        losses=losses,
        num_masks=8 if mode == 'mpm' else 4,
    )
