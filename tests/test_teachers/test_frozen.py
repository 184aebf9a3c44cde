import pytest
import torch

from pcdet_kd.models import PointGenerator
from pcdet_kd.registry import MODELS
from pcdet_kd.teachers import FrozenGenerator, FrozenTeacher
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
