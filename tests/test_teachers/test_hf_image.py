"""A vision model as a teacher without any training."""

import pytest
import torch

from pcdet_kd.backbones import HFImageBackbone
from pcdet_kd.heads import CLIPTextHead
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.structures import PointDataSample
from pcdet_kd.teachers import FeatureBank, HFImageTeacher
from pcdet_kd.testing import check_teacher
from pcdet_kd.testing.hugging_face import save_tiny_hf_model
from pcdet_kd.views import PerspectiveProjection

pytest.importorskip('transformers')
NAMES = ('chair', 'table', 'lamp')
VIEWS = dict(type='PerspectiveProjection', mode='grey', image_size=28, num_views=2)
HEAD = dict(type='CLIPTextHead', num_classes=3, classes=NAMES)


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    return save_tiny_hf_model(tmp_path_factory.mktemp('clip'), 'clip', words=NAMES)


def ready(part):
    part.init_weights()
    return part.eval()


def test_features_without_a_head(clip, batch):
    teacher = ready(HFImageTeacher(clip, VIEWS))
    check_teacher(teacher, batch['inputs'], batch['data_samples'])
    views = PerspectiveProjection(mode='grey', image_size=28, num_views=2)(
        batch['inputs']['points']
    )
    expected = ready(HFImageBackbone(clip))(views)
    out = teacher(batch['inputs'], batch['data_samples'])
    assert out.logits is None and teacher.feat_channels == 16
    torch.testing.assert_close(out.feat, expected.global_feat, rtol=0, atol=0)


def test_logits_of_names_and_views_of_the_batch(clip, batch):
    teacher = ready(HFImageTeacher(clip, head=HEAD))
    byte = torch.randint(0, 256, (6, 2, 3, 28, 28), dtype=torch.uint8)
    inputs = dict(batch['inputs'], views=byte)
    check_teacher(teacher, inputs, batch['data_samples'])
    net = ready(HFImageBackbone(clip, feature='embedding', aggregation='mean'))
    head = ready(CLIPTextHead(3, 10, clip, NAMES))
    with torch.no_grad():
        expected = head(net(byte / 255).global_feat)
    torch.testing.assert_close(teacher(inputs, batch['data_samples']).logits, expected)


def test_arguments_of_the_backbone(clip, batch):
    teacher = ready(HFImageTeacher(clip, VIEWS, backbone=dict(aggregation='mean', feature='cls')))
    net = ready(HFImageBackbone(clip, aggregation='mean', feature='cls'))
    views = PerspectiveProjection(mode='grey', image_size=28, num_views=2)(
        batch['inputs']['points']
    )
    out = teacher(batch['inputs'], batch['data_samples'])
    torch.testing.assert_close(out.feat, net(views).global_feat)


def test_it_teaches_clouds_without_labels(clip, batch, tiny_student):
    for sample in batch['data_samples']:
        del sample.gt_label
    model = MODELS.build(
        dict(
            type='JGEKD',
            student=tiny_student,
            teachers=dict(main=dict(type='HFImageTeacher', hf_model=clip, views=VIEWS, head=HEAD)),
            losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
        )
    )
    model.init_weights()
    losses = model.train()(**batch, mode='loss')
    assert losses['loss_cls'] == 0 and losses['loss_graph'].requires_grad
    losses['loss_graph'].backward()
    assert model.student.backbone.out_channels and all(
        p.grad is not None for p in model.student.parameters()
    )
    assert not [name for name in model.state_dict() if name.startswith('teachers')]


def test_methods_on_features_learn_from_it_alone(clip, batch, tiny_student):
    def method(out_channels, **kind):
        teacher = dict(type='HFImageTeacher', hf_model=clip, views=VIEWS)
        connector = dict(type='Connector', in_channels=16, out_channels=out_channels)
        parts = dict(student=tiny_student, teachers=dict(main=teacher))
        return MODELS.build({**parts, 'helpers': dict(connector=connector), **kind})

    feature = dict(type='FeatureKD', losses=dict(feature=dict(type='FeatureMSELoss')))
    with pytest.raises(ValueError, match='out_channels is 8, expected 16, the width of the teach'):
        method(8, **feature)
    model = method(16, **feature)
    model.init_weights()
    losses = model.train()(**batch, mode='loss')
    assert losses['loss_feature'] > 0 and losses['loss_feature'].requires_grad
    for kind, loss in (('LogitKD', 'LogitKDLoss'), ('JGEKD', 'JointGraphEntropyLoss')):
        name = dict(LogitKD='logit', JGEKD='graph')[kind]
        other = method(16, type=kind, losses={name: dict(type=loss)}, helpers=None)
        other.init_weights()
        with pytest.raises(ValueError, match=f'{kind} needs logits, and the teacher has features'):
            other.train()(**batch, mode='loss')


def test_a_bank_holds_its_outputs(clip, tmp_path):
    data = dict(type='TinyClouds', split='test', pipeline=[dict(type='PackPointInputs')])
    teacher = dict(type='HFImageTeacher', hf_model=clip, views=VIEWS, head=HEAD)
    bank = FeatureBank(teacher, data, path=str(tmp_path / 'bank.pt'))
    bank.build()
    bank.init_weights()
    points = torch.stack([DATASETS.build(data)[i]['inputs']['points'] for i in range(4)])
    samples = [PointDataSample(metainfo=dict(sample_id=f'test/{i}')) for i in range(4)]
    expected = ready(HFImageTeacher(clip, VIEWS, HEAD))(dict(points=points), samples)
    found = bank(dict(points=points), samples)
    torch.testing.assert_close(found.logits, expected.logits)
    torch.testing.assert_close(found.feat, expected.feat)


def test_without_views(clip, batch):
    with pytest.raises(KeyError, match="looks at views, the batch has .*mode='grey'"):
        ready(HFImageTeacher(clip))(batch['inputs'], batch['data_samples'])
