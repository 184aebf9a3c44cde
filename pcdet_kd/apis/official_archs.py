"""The published networks that :mod:`pcdet_kd.apis.official` converts."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pcdet_kd.apis import official_asymdsd as asymdsd
from pcdet_kd.apis import official_keys as keys

YANX27 = 'yanx27/Pointnet_Pointnet2_pytorch @ eb64fe0b4c'
REPSURF = 'hancyran/RepSurf @ 29bacd52fe'
POINTMLP_SOURCE = 'ma-xu/pointMLP-pytorch @ 1ab7f04e88'
POINT_MAE_SOURCE = 'Pang-Yatian/Point-MAE @ 7445a68068'
ASYMDSD_SOURCE = 'remcofl/AsymDSD @ 8707c8ef91'
POINTCMT = 'ZhanHeshen/PointCMT @ 5d57bc4653'

# A Lightning checkpoint holds student and teacher; pre-training is judged by the teacher.
ASYMDSD_TEACHER = ('teacher.point_encoder.', 'teacher.')


class Official(NamedTuple):
    """A published network: how our model of it is built, and how its keys become ours.

    Attributes:
        source: Repository, and the commit that the keys were taken from.
        model: Config of our model; a head without ``num_classes`` gets it from the weights.
        rules: (pattern, replacement) pairs for :func:`re.fullmatch`, in order; the first that
            matches a key names ours. None leaves the key out on purpose.
        prepare: A function that is applied to the official weights first (columns in another order,
            a key held twice …).
        prefixes: Prefixes of which the first that occurs is cut; keys without it are left (a
            student beside the teacher).
        classes: Our key whose first dimension is the number of classes.
        by_classes: Arguments of the backbone that the published code sets for a data set, by its
            number of classes.
    """

    source: str
    model: dict[str, Any]
    rules: tuple[tuple[str, str | None], ...]
    prepare: Callable[[keys.Weights], keys.Weights] | None = None
    prefixes: tuple[str, ...] = ()
    classes: str = 'head.fc.weight'
    by_classes: Mapping[int, dict[str, Any]] = MappingProxyType({})


def _classifier(
    backbone: dict[str, Any], hidden: tuple[int, ...] = (512, 256), **head: Any
) -> dict[str, Any]:
    return dict(
        type='PointClassifier',
        backbone=backbone,
        head=dict(type='MLPHead', hidden_channels=hidden, **head),
    )


OFFICIAL = {
    'pointnet_fxia22': Official(
        'fxia22/pointnet.pytorch @ bafbf401e0',
        _classifier(dict(type='PointNet', variant='fxia22'), dropout=(0, 0.3), dropout_first=True),
        keys.POINTNET,
    ),
    'pointnet_yanx27': Official(
        YANX27,
        _classifier(dict(type='PointNet', variant='fxia22'), dropout=(0, 0.4), dropout_first=True),
        keys.POINTNET,
    ),
    'pointnet2_ssg_yanx27': Official(
        YANX27, _classifier(dict(type='PointNet2SSG', bias=True), dropout=0.4), keys.POINTNET2_SSG
    ),
    'pointnet2_msg_yanx27': Official(
        YANX27,
        _classifier(dict(type='PointNet2MSG', bias=True), dropout=(0.4, 0.5)),
        keys.POINTNET2_MSG,
        keys.xyz_first,
    ),
    'pointcmt_pointnet2_msg': Official(
        POINTCMT,
        _classifier(dict(type='PointNet2MSG', compat='pointnet2'), (512,), dropout=0, bias=False),
        keys.POINTCMT_MSG,
        prefixes=('model.',),
    ),
    'dgcnn_cls': Official(
        'antao97/dgcnn.pytorch @ 07d534c270',
        _classifier(
            dict(type='DGCNN', num_neighbors=20), dropout=0.5, act='leaky_relu', bias=(False, True)
        ),
        keys.DGCNN,
        keys.each_norm_once,
    ),
    'pointmlp': Official(
        POINTMLP_SOURCE, _classifier(dict(type='PointMLP', compat='pointnet2')), keys.POINTMLP
    ),
    'pointmlp_elite': Official(
        POINTMLP_SOURCE, _classifier(dict(type='PointMLPElite', compat='pointnet2')), keys.POINTMLP
    ),
    'pointcmt_mvcnn_resnet18': Official(
        POINTCMT,
        dict(_classifier(dict(type='MultiViewResNet', depth=18), hidden=()), input_key='views'),
        keys.RESNET,
    ),
    'pointcmt_generator': Official(
        POINTCMT, dict(type='PointGenerator'), ((r'matrix', 'decoder.1.weight'),), keys.only_matrix
    ),
    'rscnn_ssn': Official(
        'Yochengliu/Relation-Shape-CNN @ 6464eb8bb4',
        _classifier(
            dict(type='RSCNN', relation_prior='released', compat='pointnet2'),
            dropout=0.5,
            bias=False,
        ),
        keys.RSCNN,
    ),
    'repsurf_ssg_umb': Official(
        REPSURF, _classifier(dict(type='RepSurf', variant='1x'), dropout=0.4), keys.repsurf(3)
    ),
    'repsurf_ssg_umb_2x': Official(
        REPSURF, _classifier(dict(type='RepSurf', variant='2x'), dropout=0.4), keys.repsurf(4)
    ),
    'simpleview': Official(
        'princeton-vl/SimpleView @ 64c6dfe4ec',
        _classifier(dict(type='SimpleView', image_size=128), (128,), dropout=0.5),
        keys.SIMPLEVIEW,
    ),
    'pointnext_s': Official(
        'guochengqian/openpoints @ 8c115a9198',
        _classifier(dict(type='PointNeXt', in_channels=4, width=32), dropout=0.5, bias=False),
        keys.POINTNEXT,
    ),
    'point_mae_cls': Official(
        POINT_MAE_SOURCE,
        _classifier(
            dict(type='PointViT', preset='point_mae', num_patches=64), (256, 256), dropout=0.5
        ),
        keys.POINT_MAE,
        by_classes={15: dict(num_patches=128)},
    ),  # ScanObjectNN's clouds have 2,048 points there, ModelNet40's 1,024
    'asymdsd_s_encoder': Official(
        ASYMDSD_SOURCE,
        dict(type='PointViT', preset='asymdsd_s'),
        asymdsd.ASYMDSD,
        prefixes=ASYMDSD_TEACHER,
    ),
    # the whole state of a pre-training of size S: student, teacher, predictor, heads, centres
    'asymdsd_pretrain': Official(
        ASYMDSD_SOURCE, asymdsd.pretrain_model('dual'), asymdsd.ASYMDSD_PRETRAIN
    ),
    'asymdsd_pretrain_cls': Official(
        ASYMDSD_SOURCE, asymdsd.pretrain_model('cls'), asymdsd.ASYMDSD_PRETRAIN_CLS
    ),
    'asymdsd_pretrain_mpm': Official(
        ASYMDSD_SOURCE, asymdsd.pretrain_model('mpm'), asymdsd.ASYMDSD_PRETRAIN
    ),
}
