"""How the keys of published code become ours: pairs of a pattern for :func:`re.fullmatch` and a
replacement, and functions that are applied to the weights first.
"""

import re

import torch
from torch import Tensor

from pcdet_kd.utils.checkpoint import CheckpointError

Weights = dict[str, Tensor]


def _numbered(
    official: str, ours: str, first: int, count: int, offset: int = 0
) -> tuple[tuple[str, str], ...]:
    """Rules for layers with numbers in their names: ``{n}`` counts from ``first`` there, from
    ``offset`` here.
    """
    return tuple(
        (official.replace('{n}', str(first + i)), ours.replace('{n}', str(offset + i)))
        for i in range(count)
    )


def _tnet(official: str, ours: str) -> tuple[tuple[str, str], ...]:
    return (
        *_numbered(rf'{official}\.conv{{n}}\.(.+)', rf'{ours}.mlp.{{n}}.linear.\1', 1, 3),
        *_numbered(rf'{official}\.bn{{n}}\.(.+)', rf'{ours}.mlp.{{n}}.norm.\1', 1, 3),
        *_numbered(rf'{official}\.fc{{n}}\.(.+)', rf'{ours}.fc.{{n}}.linear.\1', 1, 2),
        *_numbered(rf'{official}\.bn{{n}}\.(.+)', rf'{ours}.fc.{{n}}.norm.\1', 4, 2),
        (rf'{official}\.fc3\.(.+)', rf'{ours}.last.\1'),
    )


FC_HEAD = (
    *_numbered(r'fc{n}\.(.+)', r'head.hidden.{n}.linear.\1', 1, 2),
    *_numbered(r'bn{n}\.(.+)', r'head.hidden.{n}.norm.\1', 1, 2),
    (r'fc3\.(.+)', r'head.fc.\1'),
)
# Linear, BatchNorm, activation, dropout, twice, then Linear: an nn.Sequential
SEQUENTIAL_HEAD = tuple(
    (rf'(?:classifier|classfier)\.{i}\.(.+)', rf'head.{name}.\1')
    for i, name in (
        (0, 'hidden.0.linear'),
        (1, 'hidden.0.norm'),
        (4, 'hidden.1.linear'),
        (5, 'hidden.1.norm'),
        (8, 'fc'),
    )
)

POINTNET = (
    *_tnet(r'feat\.stn', 'backbone.input_transform'),
    *_tnet(r'feat\.fstn', 'backbone.feature_transform'),
    (r'feat\.conv1\.(.+)', r'backbone.local_mlp.0.linear.\1'),
    (r'feat\.bn1\.(.+)', r'backbone.local_mlp.0.norm.\1'),
    *_numbered(r'feat\.conv{n}\.(.+)', r'backbone.global_mlp.{n}.linear.\1', 2, 2),
    *_numbered(r'feat\.bn{n}\.(.+)', r'backbone.global_mlp.{n}.norm.\1', 2, 2),
    *FC_HEAD,
)

POINTNET2_SSG = (
    *_numbered(
        r'sa{n}\.mlp_convs\.(\d)\.(.+)', r'backbone.set_abstractions.{n}.mlps.0.\1.linear.\2', 1, 2
    ),
    *_numbered(
        r'sa{n}\.mlp_bns\.(\d)\.(.+)', r'backbone.set_abstractions.{n}.mlps.0.\1.norm.\2', 1, 2
    ),
    (r'sa3\.mlp_convs\.(\d)\.(.+)', r'backbone.global_abstraction.mlp.\1.linear.\2'),
    (r'sa3\.mlp_bns\.(\d)\.(.+)', r'backbone.global_abstraction.mlp.\1.norm.\2'),
    *FC_HEAD,
)

POINTNET2_MSG = (
    *_numbered(
        r'sa{n}\.conv_blocks\.(\d)\.(\d)\.(.+)',
        r'backbone.set_abstractions.{n}.mlps.\1.\2.linear.\3',
        1,
        2,
    ),
    *_numbered(
        r'sa{n}\.bn_blocks\.(\d)\.(\d)\.(.+)',
        r'backbone.set_abstractions.{n}.mlps.\1.\2.norm.\3',
        1,
        2,
    ),
    *POINTNET2_SSG[4:],
)

POINTCMT_MSG = (
    *(
        (
            rf'SA_modules\.([01])\.mlps\.(\d)\.layer(\d)\.{old}\.(.+)',
            rf'backbone.set_abstractions.\1.mlps.\2.\3.{new}.\4',
        )
        for old, new in (('conv', 'linear'), (r'normlayer\.bn', 'norm'))
    ),
    *(
        (
            rf'SA_modules\.2\.mlps\.0\.layer(\d)\.{old}\.(.+)',
            rf'backbone.global_abstraction.mlp.\1.{new}.\2',
        )
        for old, new in (('conv', 'linear'), (r'normlayer\.bn', 'norm'))
    ),
    (r'fc_layer1\.0\.fc\.(.+)', r'head.hidden.0.linear.\1'),
    (r'fc_layer1\.0\.normlayer\.bn\.(.+)', r'head.hidden.0.norm.\1'),
    (r'fc_layer2\.0\.(.+)', r'head.fc.\1'),
)

DGCNN = (
    *_numbered(r'conv{n}\.0\.(.+)', r'backbone.edge_convs.{n}.linear.\1', 1, 4),
    *_numbered(r'conv{n}\.1\.(.+)', r'backbone.edge_convs.{n}.norm.\1', 1, 4),
    (r'conv5\.0\.(.+)', r'backbone.embedding.linear.\1'),
    (r'conv5\.1\.(.+)', r'backbone.embedding.norm.\1'),
    *_numbered(r'linear{n}\.(.+)', r'head.hidden.{n}.linear.\1', 1, 2),
    (r'linear3\.(.+)', r'head.fc.\1'),
    *_numbered(r'bn{n}\.(.+)', r'head.hidden.{n}.norm.\1', 6, 2),
)

POINTMLP = (
    (r'embedding\.net\.0\.(.+)', r'backbone.embedding.linear.\1'),
    (r'embedding\.net\.1\.(.+)', r'backbone.embedding.norm.\1'),
    (r'local_grouper_list\.(\d)\.(.+)', r'backbone.stages.\1.grouper.\2'),
    (r'pre_blocks_list\.(\d)\.transfer\.net\.0\.(.+)', r'backbone.stages.\1.transfer.linear.\2'),
    (r'pre_blocks_list\.(\d)\.transfer\.net\.1\.(.+)', r'backbone.stages.\1.transfer.norm.\2'),
    *(
        (
            rf'{where}_blocks_list\.(\d)\.operation\.(\d)\.(net\d)\.{i}\.(.+)',
            rf'backbone.stages.\1.{where}.\2.\3.{name}.\4',
        )
        for where in ('pre', 'pos')
        for i, name in ((0, 'linear'), (1, 'norm'))
    ),
    *SEQUENTIAL_HEAD,
)

RESNET = (
    (r'net\.0\.(.+)', r'backbone.trunk.conv1.\1'),
    (r'net\.1\.(.+)', r'backbone.trunk.bn1.\1'),
    *_numbered(r'net\.{n}\.(.+)', r'backbone.trunk.layer{n}.\1', 4, 4, offset=1),
    (r'fc\.0\.(.+)', r'head.fc.\1'),
)


_RS = r'SA_modules\.([01])\.mlps\.0\.RSConvLayer0\.RS_Conv\.'
RSCNN = (
    *(
        (rf'{_RS}{old}\.(.+)', rf'backbone.convs.\1.{new}.\2')
        for old, new in (
            ('mapping_func1', 'relation.0.linear'),
            ('bn_mapping', 'relation.0.norm'),
            ('mapping_func2', 'relation.1'),
            ('xyz_raising', 'lift.linear'),
            ('bn_rsconv', 'norm'),
            ('cr_mapping', 'raising.linear'),
            ('bn_channel_raising', 'raising.norm'),
        )
    ),
    (
        r'SA_modules\.0\.mlps\.0\.RSConvLayer0\.RS_Conv\.bn_xyz_raising\.(.+)',
        r'backbone.convs.0.lift.norm.\1',
    ),
    (
        r'SA_modules\.1\.mlps\.0\.RSConvLayer0\.RS_Conv\.bn_xyz_raising\.(.+)',
        r'backbone.convs.1.unused_norm.\1',
    ),
    (r'SA_modules\.2\.mlps\.0\.conv_avg\.(.+)', r'backbone.global_conv.mlp.0.linear.\1'),
    (r'SA_modules\.2\.mlps\.0\.bn_avg\.(.+)', r'backbone.global_conv.mlp.0.norm.\1'),
    *(
        (rf'FC_layer\.{2 * i}\.{old}\.(.+)', rf'head.hidden.{i}.{new}.\1')
        for i in (0, 1)
        for old, new in (('fc', 'linear'), (r'bn\.bn', 'norm'))
    ),
    (r'FC_layer\.4\.fc\.(.+)', r'head.fc.\1'),
)


def repsurf(stages: int) -> tuple[tuple[str, str], ...]:
    """Rules for RepSurf with this many set abstractions."""
    rules = [
        (rf'surface_constructor\.mlps\.{i}\.(.+)', rf'backbone.surface.mlp.{name}.\1')
        for i, name in (
            (0, '0.0.linear'),
            (1, '0.0.norm'),
            (3, '0.1.linear'),
            (4, '0.1.norm'),
            (6, '1'),
        )
    ]
    for i in range(1, stages + 1):
        ours = f'set_abstractions.{i - 1}.mlp' if i < stages else 'global_mlp'
        rules += [
            (rf'sa{i}\.{old}\.(.+)', rf'backbone.{ours}.{new}.\1')
            for old, new in (
                ('mlp_l0', 'position.linear'),
                ('bn_l0', 'position.norm'),
                ('mlp_f0', 'feature.linear'),
                ('bn_f0', 'feature.norm'),
                (r'mlp_convs\.0', 'rest.0.linear'),
                (r'mlp_bns\.0', 'rest.0.norm'),
                (r'mlp_convs\.1', 'rest.1.linear'),
                (r'mlp_bns\.1', 'rest.1.norm'),
            )
        ]
    return *rules, *SEQUENTIAL_HEAD


SIMPLEVIEW = (
    (r'img_model\.0\.(.+)', r'backbone.trunk.conv1.\1'),
    (r'img_model\.1\.(.+)', r'backbone.trunk.bn1.\1'),
    *_numbered(r'img_model\.{n}\.(.+)', r'backbone.trunk.layer{n}.\1', 3, 4, offset=1),
    (r'final_fc\.model\.0\.bn\.(.+)', r'backbone.norm.\1'),
    (r'final_fc\.model\.3\.(.+)', r'head.hidden.0.linear.\1'),
    (r'final_fc\.model\.4\.(.+)', r'head.hidden.0.norm.\1'),
    (r'final_fc\.model\.7\.(.+)', r'head.fc.\1'),
)

POINTNEXT = (
    (r'encoder\.encoder\.0\.0\.convs\.0\.0\.(.+)', r'backbone.stem.\1'),
    *(
        (rf'encoder\.encoder\.{i}\.0\.{old}\.(.+)', rf'backbone.stages.{i - 1}.0.{new}.\1')
        for i in range(1, 5)
        for old, new in (
            (r'skipconv\.0', 'shortcut'),
            (r'convs\.0\.0', 'mlp.0.linear'),
            (r'convs\.0\.1', 'mlp.0.norm'),
            (r'convs\.1\.0', 'mlp.1.linear'),
            (r'convs\.1\.1', 'mlp.1.norm'),
        )
    ),
    *(
        (
            rf'encoder\.encoder\.5\.0\.convs\.(\d)\.{i}\.(.+)',
            rf'backbone.global_abstraction.mlp.\1.{name}.\2',
        )
        for i, name in ((0, 'linear'), (1, 'norm'))
    ),
    *(
        (rf'prediction\.head\.{2 * i}\.{j}\.(.+)', rf'head.hidden.{i}.{name}.\1')
        for i in (0, 1)
        for j, name in ((0, 'linear'), (1, 'norm'))
    ),
    (r'prediction\.head\.4\.0\.(.+)', r'head.fc.\1'),
)

POINT_MAE = (
    (r'(cls_token|cls_pos)', r'backbone.\1'),
    *(
        (rf'encoder\.{old}\.(.+)', rf'backbone.tokenizer.{new}.\1')
        for old, new in (
            (r'first_conv\.0', 'first.0.linear'),
            (r'first_conv\.1', 'first.0.norm'),
            (r'first_conv\.3', 'first_out'),
            (r'second_conv\.0', 'join.linear'),
            (r'second_conv\.1', 'join.norm'),
            (r'second_conv\.3', 'second_out'),
        )
    ),
    (r'pos_embed\.0\.(.+)', r'backbone.position.fc1.\1'),
    (r'pos_embed\.2\.(.+)', r'backbone.position.fc2.\1'),
    (r'blocks\.blocks\.(\d+)\.(.+)', r'backbone.encoder.blocks.\1.\2'),
    (r'norm\.(.+)', r'backbone.encoder.norm.\1'),
    *(
        (rf'cls_head_finetune\.{i}\.(.+)', rf'head.{name}.\1')
        for i, name in (
            (0, 'hidden.0.linear'),
            (1, 'hidden.0.norm'),
            (4, 'hidden.1.linear'),
            (5, 'hidden.1.norm'),
            (8, 'fc'),
        )
    ),
)


def xyz_first(weights: Weights) -> Weights:
    """The multi-scale stages of yanx27's code see features, then coordinates; ours the other way
    round.
    """
    return {
        k: torch.cat([v[:, -3:], v[:, :-3]], dim=1)
        if re.fullmatch(r'sa\d\.conv_blocks\.\d\.0\.weight', k)
        else v
        for k, v in weights.items()
    }


def each_norm_once(weights: Weights) -> Weights:
    """The BatchNorms of DGCNN's code are held twice: as bn1 … bn5, and in the convolutions'
    nn.Sequential.
    """
    for i in range(1, 6):
        for key in [k for k in weights if k.startswith(f'bn{i}.')]:
            twin = f'conv{i}.1.{key.split(".", 1)[1]}'
            if twin not in weights:
                continue  # another network; convert_official says so
            if not torch.equal(weights[key], weights[twin]):
                raise CheckpointError(f"'{key}' and '{twin}' should be one tensor and differ")
            del weights[key]
    return weights


def only_matrix(weights: Weights) -> Weights:
    """PointCMT's generator is one matrix; what its key is called could not be seen."""
    matrices = {k: v for k, v in weights.items() if v.shape == torch.Size([3072, 512])}
    if len(matrices) != 1 or len(weights) != 1:
        raise CheckpointError(
            'the generator is one matrix (3072, 512), found '
            f'{ {k: tuple(v.shape) for k, v in list(weights.items())[:5]} }'
        )
    return {'matrix': next(iter(matrices.values()))}
