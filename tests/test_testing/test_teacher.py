"""check_teacher passes a right part and names what is wrong with a wrong one."""

import pytest
import torch
from torch import nn

from pcdet_kd.structures import ModelOutput, PointDataSample
from pcdet_kd.teachers.base import Teacher
from pcdet_kd.testing import check_teacher, random_clouds


class GoodTeacher(Teacher):
    persistent = True

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).requires_grad_(False)

    def train(self, mode=True):
        super().train(mode)
        self.net.eval()
        return self

    @torch.no_grad()
    def forward(self, inputs, data_samples):
        feat = self.net(inputs['points'].mean(1))
        return ModelOutput(feat, feat)

    def weights_hash(self):
        return str({k: v.tolist() for k, v in self.net.state_dict().items()})


class InCheckpoint(GoodTeacher):
    persistent = False


class Learns(GoodTeacher):
    def __init__(self):
        super().__init__()
        self.net.requires_grad_(True)


class Awake(GoodTeacher):
    def train(self, mode=True):
        return nn.Module.train(self, mode)


class Counts(GoodTeacher):
    def forward(self, inputs, data_samples):
        out = super().forward(inputs, data_samples)
        self.net[1].running_mean += 1
        return out._replace(logits=None, feat=torch.ones(4, 2))


class WithGradient(GoodTeacher):
    def forward(self, inputs, data_samples):
        out = super().forward(inputs, data_samples)
        return out._replace(feat=out.feat.clone().requires_grad_())


class Logits(GoodTeacher):
    def forward(self, inputs, data_samples):
        return super().forward(inputs, data_samples).logits


BATCH = dict(
    inputs=dict(points=random_clouds(4, 8)), data_samples=[PointDataSample() for _ in range(4)]
)


def test_check_teacher_accepts():
    check_teacher(GoodTeacher(), **BATCH)


@pytest.mark.parametrize(
    ('teacher', 'message'),
    [
        (InCheckpoint, 'has keys in state_dict'),
        (Learns, 'can be trained'),
        (Awake, 'are in training mode'),
        (Counts, 'changed by being used'),
        (WithGradient, 'requires a gradient'),
        (Logits, 'returns a Tensor'),
    ],
)
def test_check_teacher_refuses(teacher, message):
    with pytest.raises(AssertionError, match=f'{teacher.__name__}.*{message}'):
        check_teacher(teacher(), **BATCH)
