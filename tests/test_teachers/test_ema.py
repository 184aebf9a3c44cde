import pytest
import torch
from torch import nn

from pcdet_kd.registry import MODELS
from pcdet_kd.structures import PointDataSample
from pcdet_kd.teachers import EMATeacher
from pcdet_kd.testing import check_teacher, random_clouds


def net():
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))


def test_weights_by_the_momentum_and_buffers_as_they_are():
    torch.manual_seed(0)
    student, teacher = net(), EMATeacher(momentum=0.75)
    teacher.follow(student)
    before = {key: value.clone() for key, value in student.state_dict().items()}
    with torch.no_grad():
        student[0].weight.add_(4.0)
        student[1].running_mean.add_(1.0)
        student[1].num_batches_tracked.add_(3)
    teacher.update(student)
    torch.testing.assert_close(teacher.model[0].weight, before['0.weight'] + 1.0)
    assert torch.equal(teacher.model[1].running_mean, student[1].running_mean)
    assert int(teacher.model[1].num_batches_tracked) == 3
    teacher.momentum = 1.0
    weight = teacher.model[0].weight.clone()
    teacher.update(student)
    assert torch.equal(teacher.model[0].weight, weight)
    teacher.restart(student)
    assert torch.equal(teacher.model[0].weight, student[0].weight)


def test_it_keeps_the_contract_and_is_in_checkpoints(tiny_student):
    teacher = EMATeacher()
    teacher.follow(MODELS.build(tiny_student))
    check_teacher(teacher, dict(points=random_clouds(4, 32)), [PointDataSample() for _ in range(4)])
    assert all(key.startswith('model.') for key in teacher.state_dict())
    assert not any(part.training for part in teacher.model.modules())


def test_a_momentum_above_one_is_an_error():
    with pytest.raises(ValueError, match='momentum is 1.5'):
        EMATeacher(1.5)
