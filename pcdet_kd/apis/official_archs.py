"""The published networks that :mod:`pcdet_kd.apis.official` converts: their models here, and the names of their weights."""

import re
from typing import Any

import torch

from pcdet_kd.apis.official import Official, Weights
from pcdet_kd.utils.checkpoint import CheckpointError

YANX27 = 'yanx27/Pointnet_Pointnet2_pytorch @ eb64fe0b4c'
POINTCMT = 'ZhanHeshen/PointCMT @ 5d57bc4653'


def _classifier(backbone: dict[str, Any], hidden: tuple[int, ...] = (512, 256), **head: Any) -> dict[str, Any]:
    return dict(type='PointClassifier', backbone=backbone, head=dict(type='MLPHead', hidden_channels=hidden, **head))


def _numbered(official: str, ours: str, first: int, count: int, offset: int = 0) -> tuple[tuple[str, str], ...]:
    """Rules for layers with numbers in their names: ``{n}`` counts from ``first`` there, from ``offset`` here."""
    return tuple((official.replace('{n}', str(first + i)), ours.replace('{n}', str(offset + i))) for i in range(count))


def _tnet(official: str, ours: str) -> tuple[tuple[str, str], ...]:
    return (*_numbered(rf'{official}\.conv{{n}}\.(.+)', rf'{ours}.mlp.{{n}}.linear.\1', 1, 3),
            *_numbered(rf'{official}\.bn{{n}}\.(.+)', rf'{ours}.mlp.{{n}}.norm.\1', 1, 3),
            *_numbered(rf'{official}\.fc{{n}}\.(.+)', rf'{ours}.fc.{{n}}.linear.\1', 1, 2),
            *_numbered(rf'{official}\.bn{{n}}\.(.+)', rf'{ours}.fc.{{n}}.norm.\1', 4, 2),
            (rf'{official}\.fc3\.(.+)', rf'{ours}.last.\1'))


FC_HEAD = (*_numbered(r'fc{n}\.(.+)', r'head.hidden.{n}.linear.\1', 1, 2),
           *_numbered(r'bn{n}\.(.+)', r'head.hidden.{n}.norm.\1', 1, 2), (r'fc3\.(.+)', r'head.fc.\1'))
# Linear, BatchNorm, activation, dropout, twice, then Linear: an nn.Sequential
SEQUENTIAL_HEAD = tuple((rf'(?:classifier|classfier)\.{i}\.(.+)', rf'head.{name}.\1') for i, name in (
    (0, 'hidden.0.linear'), (1, 'hidden.0.norm'), (4, 'hidden.1.linear'), (5, 'hidden.1.norm'), (8, 'fc')))

POINTNET = (
    *_tnet(r'feat\.stn', 'backbone.input_transform'), *_tnet(r'feat\.fstn', 'backbone.feature_transform'),
    (r'feat\.conv1\.(.+)', r'backbone.local_mlp.0.linear.\1'), (r'feat\.bn1\.(.+)', r'backbone.local_mlp.0.norm.\1'),
    *_numbered(r'feat\.conv{n}\.(.+)', r'backbone.global_mlp.{n}.linear.\1', 2, 2),
    *_numbered(r'feat\.bn{n}\.(.+)', r'backbone.global_mlp.{n}.norm.\1', 2, 2), *FC_HEAD)

POINTNET2_SSG = (
    *_numbered(r'sa{n}\.mlp_convs\.(\d)\.(.+)', r'backbone.set_abstractions.{n}.mlps.0.\1.linear.\2', 1, 2),
    *_numbered(r'sa{n}\.mlp_bns\.(\d)\.(.+)', r'backbone.set_abstractions.{n}.mlps.0.\1.norm.\2', 1, 2),
    (r'sa3\.mlp_convs\.(\d)\.(.+)', r'backbone.global_abstraction.mlp.\1.linear.\2'),
    (r'sa3\.mlp_bns\.(\d)\.(.+)', r'backbone.global_abstraction.mlp.\1.norm.\2'), *FC_HEAD)

POINTNET2_MSG = (
    *_numbered(r'sa{n}\.conv_blocks\.(\d)\.(\d)\.(.+)', r'backbone.set_abstractions.{n}.mlps.\1.\2.linear.\3', 1, 2),
    *_numbered(r'sa{n}\.bn_blocks\.(\d)\.(\d)\.(.+)', r'backbone.set_abstractions.{n}.mlps.\1.\2.norm.\3', 1, 2),
    *POINTNET2_SSG[4:])

POINTCMT_MSG = (
    *((rf'SA_modules\.([01])\.mlps\.(\d)\.layer(\d)\.{old}\.(.+)', rf'backbone.set_abstractions.\1.mlps.\2.\3.{new}.\4')
      for old, new in (('conv', 'linear'), (r'normlayer\.bn', 'norm'))),
    *((rf'SA_modules\.2\.mlps\.0\.layer(\d)\.{old}\.(.+)', rf'backbone.global_abstraction.mlp.\1.{new}.\2')
      for old, new in (('conv', 'linear'), (r'normlayer\.bn', 'norm'))),
    (r'fc_layer1\.0\.fc\.(.+)', r'head.hidden.0.linear.\1'), (r'fc_layer1\.0\.normlayer\.bn\.(.+)', r'head.hidden.0.norm.\1'),
    (r'fc_layer2\.0\.(.+)', r'head.fc.\1'))

DGCNN = (
    *_numbered(r'conv{n}\.0\.(.+)', r'backbone.edge_convs.{n}.linear.\1', 1, 4),
    *_numbered(r'conv{n}\.1\.(.+)', r'backbone.edge_convs.{n}.norm.\1', 1, 4),
    (r'conv5\.0\.(.+)', r'backbone.embedding.linear.\1'), (r'conv5\.1\.(.+)', r'backbone.embedding.norm.\1'),
    *_numbered(r'linear{n}\.(.+)', r'head.hidden.{n}.linear.\1', 1, 2), (r'linear3\.(.+)', r'head.fc.\1'),
    *_numbered(r'bn{n}\.(.+)', r'head.hidden.{n}.norm.\1', 6, 2))

POINTMLP = (
    (r'embedding\.net\.0\.(.+)', r'backbone.embedding.linear.\1'), (r'embedding\.net\.1\.(.+)', r'backbone.embedding.norm.\1'),
    (r'local_grouper_list\.(\d)\.(.+)', r'backbone.stages.\1.grouper.\2'),
    (r'pre_blocks_list\.(\d)\.transfer\.net\.0\.(.+)', r'backbone.stages.\1.transfer.linear.\2'),
    (r'pre_blocks_list\.(\d)\.transfer\.net\.1\.(.+)', r'backbone.stages.\1.transfer.norm.\2'),
    *((rf'{where}_blocks_list\.(\d)\.operation\.(\d)\.(net\d)\.{i}\.(.+)', rf'backbone.stages.\1.{where}.\2.\3.{name}.\4')
      for where in ('pre', 'pos') for i, name in ((0, 'linear'), (1, 'norm'))),
    *SEQUENTIAL_HEAD)

RESNET = ((r'net\.0\.(.+)', r'backbone.trunk.conv1.\1'), (r'net\.1\.(.+)', r'backbone.trunk.bn1.\1'),
          *_numbered(r'net\.{n}\.(.+)', r'backbone.trunk.layer{n}.\1', 4, 4, offset=1),
          (r'fc\.0\.(.+)', r'head.fc.\1'))


def _xyz_first(weights: Weights) -> Weights:
    """The multi-scale stages of yanx27's code see features, then coordinates; ours the other way round."""
    return {k: torch.cat([v[:, -3:], v[:, :-3]], dim=1) if re.fullmatch(r'sa\d\.conv_blocks\.\d\.0\.weight', k) else v
            for k, v in weights.items()}


def _each_norm_once(weights: Weights) -> Weights:
    """The BatchNorms of DGCNN's code are held twice: as bn1 … bn5, and in the convolutions' nn.Sequential."""
    for i in range(1, 6):
        for key in [k for k in weights if k.startswith(f'bn{i}.')]:
            twin = f'conv{i}.1.{key.split(".", 1)[1]}'
            if twin not in weights or not torch.equal(weights[key], weights[twin]):
                raise CheckpointError(f"'{key}' and '{twin}' should be one tensor and differ")
            del weights[key]
    return weights


def _only_matrix(weights: Weights) -> Weights:
    """PointCMT's generator is one matrix; what its key is called could not be seen."""
    matrices = {k: v for k, v in weights.items() if v.shape == torch.Size([3072, 512])}
    if len(matrices) != 1 or len(weights) != 1:
        raise CheckpointError(f'the generator of {POINTCMT} is one matrix (3072, 512), found '
                              f'{ {k: tuple(v.shape) for k, v in list(weights.items())[:5]} }')
    return {'matrix': next(iter(matrices.values()))}


OFFICIAL: dict[str, Official] = {
    'pointnet_fxia22': Official('fxia22/pointnet.pytorch @ bafbf401e0', _classifier(
        dict(type='PointNet', variant='fxia22'), dropout=(0, 0.3), dropout_first=True), POINTNET),
    'pointnet_yanx27': Official(YANX27, _classifier(
        dict(type='PointNet', variant='fxia22'), dropout=(0, 0.4), dropout_first=True), POINTNET),
    'pointnet2_ssg_yanx27': Official(YANX27, _classifier(dict(type='PointNet2SSG', bias=True), dropout=0.4), POINTNET2_SSG),
    'pointnet2_msg_yanx27': Official(YANX27, _classifier(
        dict(type='PointNet2MSG', bias=True), dropout=(0.4, 0.5)), POINTNET2_MSG, _xyz_first),
    'pointcmt_pointnet2_msg': Official(POINTCMT, _classifier(
        dict(type='PointNet2MSG', compat='pointnet2'), (512,), dropout=0, bias=False), POINTCMT_MSG, prefixes=('model.',)),
    'dgcnn_cls': Official('antao97/dgcnn.pytorch @ 07d534c270', _classifier(
        dict(type='DGCNN', num_neighbors=20), dropout=0.5, act='leaky_relu', bias=(False, True)), DGCNN, _each_norm_once),
    'pointmlp': Official('ma-xu/pointMLP-pytorch @ 1ab7f04e88', _classifier(dict(type='PointMLP')), POINTMLP),
    'pointmlp_elite': Official('ma-xu/pointMLP-pytorch @ 1ab7f04e88', _classifier(dict(type='PointMLPElite')), POINTMLP),
    'pointcmt_mvcnn_resnet18': Official(POINTCMT, dict(
        _classifier(dict(type='MultiViewResNet', depth=18), hidden=()), input_key='views'), RESNET),
    'pointcmt_generator': Official(POINTCMT, dict(type='PointGenerator'), ((r'matrix', 'decoder.1.weight'),), _only_matrix),
}
