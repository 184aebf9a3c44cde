import pytest
import torch

from pcdet_kd.models import FactorAutoEncoder, PointGenerator
from pcdet_kd.registry import MODELS
from pcdet_kd.teachers import FrozenClassifier, FrozenEncoder, FrozenGenerator, FrozenTeacher
from pcdet_kd.testing import check_teacher
from pcdet_kd.utils.checkpoint import save_checkpoint_file

VIEWS = dict(
    type='PointClassifier',
    input_key='views',
    data_preprocessor=dict(
        type='PointDataPreprocessor', views=dict(type='PerspectiveProjection', image_size=16)
    ),
    backbone=dict(type='MultiViewResNet', base_width=2),
    head=dict(type='MLPHead', hidden_channels=(), num_classes=3),
)


@pytest.fixture
def saved(tmp_path):
    def save(model):
        save_checkpoint_file(dict(state_dict=model.state_dict()), tmp_path / 'weights.pth')
        return str(tmp_path / 'weights.pth')

    return save


def test_a_teacher_draws_its_own_views_from_the_students_points(batch, saved):
    model = MODELS.build(VIEWS).eval()
    teacher = FrozenTeacher(VIEWS, saved(model))
    teacher.init_weights()
    out = teacher(batch['inputs'], batch['data_samples'])
    expected = model(model.data_preprocessor(batch)['inputs'])
    torch.testing.assert_close(out.logits, expected.logits, rtol=0, atol=0)
    assert not out.feat.requires_grad and 'views' not in batch['inputs']


def test_a_teacher_keeps_the_contract(batch, tiny_student, saved):
    teacher = FrozenTeacher(tiny_student, saved(MODELS.build(tiny_student)))
    teacher.init_weights()
    check_teacher(teacher, batch['inputs'], batch['data_samples'])


def test_gradients_pass_through_a_generator_but_not_into_it(saved):
    cfg = dict(type='PointGenerator', in_channels=4, num_points=8)
    generator = FrozenGenerator(cfg, saved(PointGenerator(4, 8)))
    generator.init_weights()
    feature = torch.randn(2, 4, requires_grad=True)
    points = generator.decode(feature)
    points.square().sum().backward()
    assert feature.grad.abs().sum() > 0
    assert all(p.grad is None for p in generator.model.parameters())
    torch.testing.assert_close(
        generator.train().decode(feature), points, rtol=0, atol=0
    )  # no dropout


def test_gradients_pass_through_a_classifier_but_not_into_it(tiny_student, saved):
    model = MODELS.build(tiny_student)
    classifier = FrozenClassifier(tiny_student, saved(model))
    assert classifier.in_channels == 16
    classifier.init_weights()
    feature = torch.randn(2, 16, requires_grad=True)
    logits = classifier.classify(feature)
    torch.testing.assert_close(logits, model.head.fc(feature), rtol=0, atol=0)
    logits.sum().backward()
    torch.testing.assert_close(feature.grad[0], model.head.fc.weight.sum(0))
    assert all(p.grad is None for p in classifier.model.parameters())


def test_an_encoder_is_in_eval_mode(saved):
    trained = FactorAutoEncoder(6)
    trained.encoder(torch.randn(8, 6))  # moves the running statistics
    encoder = FrozenEncoder(dict(type='FactorAutoEncoder', in_channels=6), saved(trained)).train()
    assert (encoder.in_channels, encoder.out_channels) == (6, 3)
    encoder.init_weights()
    feature = torch.randn(4, 6)
    torch.testing.assert_close(encoder.encode(feature), trained.eval().encoder(feature))


def test_what_a_teacher_looks_at_and_how_wide_its_feature_is(tiny_student, saved):
    teacher = FrozenTeacher(tiny_student, saved(MODELS.build(tiny_student)))
    assert (teacher.feat_channels, teacher.input_key) == (16, 'points')
    views = FrozenTeacher(VIEWS)
    assert (views.feat_channels, views.input_key) == (16, 'views')  # before weights are read
