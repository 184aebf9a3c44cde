import pytest
import torch

from pcdet_kd.distillers import JGEKD
from pcdet_kd.losses import JointGraphEntropyLoss
from pcdet_kd.losses.joint_graph_entropy import VARIANTS
from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Teacher

GRAPH = dict(graph=dict(type='JointGraphEntropyLoss', loss_weight=0.5))


@TEACHERS.register_module(force=True)
class FirstPointLogits(Teacher):
    """Its logits are the first point."""

    def forward(self, inputs, data_samples):
        return ModelOutput(inputs['points'][:, 0], inputs['points'][:, 0])


@pytest.fixture
def siamese(batch):
    batch['inputs']['points_2'] = torch.randn(6, 16, 3, generator=torch.Generator().manual_seed(1))
    return batch


def build(student, **args):
    torch.manual_seed(0)
    return JGEKD(student, losses=GRAPH, **args)


def target_of(batch):
    return torch.cat([sample.gt_label for sample in batch['data_samples']])


def test_a_teacher_teaches(tiny_student, siamese):
    for name in ('points', 'points_2'):
        model = build(
            tiny_student, teachers=dict(main=dict(type='FirstPointLogits')), teacher_points=name
        ).eval()
        losses = model(siamese['inputs'], siamese['data_samples'], mode='loss')
        logits = model.student(siamese['inputs']).logits
        expected = JointGraphEntropyLoss(loss_weight=0.5)(
            logits, siamese['inputs'][name][:, 0], target_of(siamese)
        )
        torch.testing.assert_close(losses['loss_graph'], expected)
        assert sorted(losses) == ['loss_cls', 'loss_graph', 'stat_agreement']


@pytest.mark.parametrize('passes', ['separate', 'joint'])
@pytest.mark.parametrize('student_view', [1, 2])
def test_one_view_teaches_the_other(tiny_student, siamese, student_view, passes):
    model = build(tiny_student, student_view=student_view, passes=passes).eval()
    losses = model(siamese['inputs'], siamese['data_samples'], mode='loss')
    views = [
        model.student(dict(points=siamese['inputs'][name])).logits
        for name in ('points', 'points_2')
    ]
    student, teacher = views if student_view == 1 else views[::-1]
    graph = JointGraphEntropyLoss(loss_weight=0.5)
    target = target_of(siamese)
    torch.testing.assert_close(losses['loss_graph'], graph(student, teacher, target))
    assert not torch.isclose(losses['loss_graph'], graph(teacher, student, target))
    both = torch.nn.functional.cross_entropy(torch.cat(views), target.repeat(2))
    torch.testing.assert_close(losses['loss_cls'], both)
    expected = (student.argmax(1) == teacher.argmax(1)).float().mean()
    torch.testing.assert_close(losses['stat_agreement'], expected)


def test_the_teaching_view_gets_no_gradient_unless_asked(tiny_student, siamese):
    def slope(detach):
        torch.manual_seed(0)
        model = JGEKD(
            tiny_student, losses=dict(graph=dict(type='JointGraphEntropyLoss', detach=detach))
        ).eval()
        points = siamese['inputs']['points'].clone().requires_grad_()
        losses = model(
            {**siamese['inputs'], 'points': points}, siamese['data_samples'], mode='loss'
        )
        return torch.autograd.grad(losses['loss_graph'], points, allow_unused=True)[0]

    assert slope('teacher') is None and slope('none').abs().max() > 0


def test_batch_norm_sees_each_view_or_both(tiny_student, siamese):
    siamese['inputs']['points_2'] += 5
    means = {}
    for passes in ('separate', 'joint'):
        model = build(tiny_student, passes=passes).train()
        model(siamese['inputs'], siamese['data_samples'], mode='loss')
        norm = model.student.backbone.local_mlp[0].norm
        means[passes] = int(norm.num_batches_tracked), norm.running_mean.clone()
    linear = model.student.backbone.local_mlp[0].linear
    first, second = (
        linear(siamese['inputs'][name]).flatten(0, 1).mean(0) for name in ('points', 'points_2')
    )
    assert means['separate'][0] == 2 and means['joint'][0] == 1
    torch.testing.assert_close(means['separate'][1], 0.9 * 0.1 * first + 0.1 * second)
    torch.testing.assert_close(means['joint'][1], 0.1 * (first + second) / 2)


def test_views_may_have_other_numbers_of_points_in_separate_passes(tiny_student, siamese):
    siamese['inputs']['points_2'] = siamese['inputs']['points_2'][:, :7]
    build(tiny_student)(siamese['inputs'], siamese['data_samples'], mode='loss')
    with pytest.raises(ValueError, match=r'points is \(6, 16, 3\) and points_2 is \(6, 7, 3\)'):
        build(tiny_student, passes='joint')(siamese['inputs'], siamese['data_samples'], mode='loss')


def test_at_test_time_one_view_is_enough(tiny_student, batch):
    model = build(tiny_student).eval()
    assert torch.equal(model(batch['inputs']).logits, model.student(batch['inputs']).logits)
    with pytest.raises(KeyError, match='SiameseViews'):
        model(batch['inputs'], batch['data_samples'], mode='loss')


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (dict(student_view=3), 'student_view is 3'),
        (dict(passes='both'), "passes is 'both'"),
        (dict(teacher_points='points_2'), r'needs teachers=dict\(main'),
    ],
)
def test_bad_arguments(tiny_student, args, message):
    with pytest.raises(ValueError, match=message):
        build(tiny_student, **args)
    with pytest.raises(ValueError, match=r"takes teachers \['main'\], got \['image'\]"):
        build(tiny_student, teachers=dict(image=dict(type='FirstPointLogits')))


@pytest.mark.parametrize('variant', VARIANTS)
def test_mixed_clouds_reach_the_teacher_and_variants_with_a_label_refuse_them(
    tiny_student, batch, variant
):
    augments = dict(
        type='PointDataPreprocessor', batch_augments=dict(augments=dict(type='PointMixup'))
    )
    model = JGEKD(
        {**tiny_student, 'data_preprocessor': augments},
        dict(main=dict(type='FirstPointLogits')),
        dict(graph=dict(type='JointGraphEntropyLoss', variant=variant)),
    ).eval()
    mixed = model.data_preprocessor(batch, True)
    if variant in ('decoupled', 'released', 'released-signfix'):
        with pytest.raises(ValueError, match="mixed the samples: use variant='entropy'"):
            model(**mixed, mode='loss')
        model(batch['inputs'], batch['data_samples'], mode='loss')
        return
    logits = model.student(mixed['inputs']).logits
    expected = JointGraphEntropyLoss(variant=variant)(
        logits, mixed['inputs']['points'][:, 0], target_of(batch)
    )
    torch.testing.assert_close(model(**mixed, mode='loss')['loss_graph'], expected)


def test_two_views_are_not_mixed(tiny_student, siamese):
    augments = dict(
        type='PointDataPreprocessor', batch_augments=dict(augments=dict(type='PointMixup'))
    )
    model = build({**tiny_student, 'data_preprocessor': augments})
    with pytest.raises(ValueError, match='points_2.*would still show the clouds as they were'):
        model.data_preprocessor(siamese, True)
