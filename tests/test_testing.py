"""Each contract check passes a right part and names what is wrong with a wrong one."""

import numpy as np
import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from pcdet_kd.datasets.base import PointCloudDataset, Records
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import ModelOutput, PointDataSample, PointFeatures
from pcdet_kd.teachers.base import Teacher
from pcdet_kd.testing import (
    check_backbone,
    check_dataset,
    check_loss,
    check_teacher,
    random_clouds,
    random_views,
)


class Good(BaseModule):
    def __init__(self, in_channels=3):
        super().__init__()
        self.out_channels = 6
        self.linear = nn.Linear(in_channels, 6)
        self.norm = nn.BatchNorm1d(6)

    def forward(self, points):
        x = self.linear(points)
        return PointFeatures(self.norm(x.amax(1)), x.transpose(1, 2), points[..., :3], (x,))


class NoWidth(Good):
    def __init__(self):
        super().__init__()
        del self.out_channels


class WrongWidth(Good):
    def forward(self, points):
        return super().forward(points)._replace(global_feat=torch.ones(len(points), 5))


class ATensor(Good):
    def forward(self, points):
        return super().forward(points).global_feat


class ListOfStages(Good):
    def forward(self, points):
        return super().forward(points)._replace(stages=[])


class OtherPoints(Good):
    def forward(self, points):
        return super().forward(points)._replace(coords=points[:, :0])


class InPlace(Good):
    def forward(self, points):
        points -= points.mean(1, keepdim=True)
        return super().forward(points)


class Unused(Good):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(2, 2)


class Undefined(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + (self.linear.weight.sum() * 0).sqrt())


class Random(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + torch.rand(1))


class OverTheBatch(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat / points.std())


class NeedsPoints(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat / points.std(1).mean(1, keepdim=True))


@BACKBONES.register_module('_TestingHidden')
class Hidden(Good):
    def __init__(self):
        super().__init__()
        self.scale = torch.rand(1)

    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat * self.scale)


class HalfCoordinates(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(coords=out.coords @ torch.eye(3))


class FirstPoint(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + points[:, :1, 0])


class Small(FirstPoint):
    """The tolerance is the feature's, however small that is."""

    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=1e-5 * out.global_feat)


class LastPoint(Good):
    def forward(self, points):
        out = super().forward(points)
        return out._replace(global_feat=out.global_feat + points[:, -1:, 0])


class WrongKey(Good):
    def auxiliary_losses(self, features):
        return dict(orthogonality=features.global_feat.sum())


def test_check_backbone_accepts_and_changes_nothing():
    net, wide = Good(), Good(5)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    state = torch.get_rng_state()
    check_backbone(net)
    check_backbone(wide, in_channels=5)
    assert (
        all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
        and net.linear.weight.grad is None
    )
    assert net.training and torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ('backbone', 'message'),
    [
        (NoWidth, 'out_channels is None: set it'),
        (WrongWidth, r'global_feat is \(4, 5\)'),
        (ATensor, 'returns a Tensor'),
        (ListOfStages, 'stages is a list'),
        (OtherPoints, 'differ in the number of points'),
        (InPlace, 'input in place'),
        (Unused, 'no gradient from global_feat to spare.weight, spare.bias'),
        (Undefined, 'linear.weight is not finite'),
        (Random, 'eval mode gives two results'),
        (OverTheBatch, 'when it is alone'),
        (HalfCoordinates, 'coords are not float32'),
        (NeedsPoints, 'size 1: global_feat is not finite'),
        (WrongKey, r"returns \['orthogonality'\]"),
    ],
)
@pytest.mark.filterwarnings('ignore:std')
def test_check_backbone_refuses(backbone, message):
    with pytest.raises(AssertionError, match=f'{backbone.__name__}.*{message}'):
        check_backbone(backbone())


def test_check_backbone_looks_at_the_order_of_points():
    check_backbone(Good(), order='any')
    check_backbone(FirstPoint(), order='behind_first')
    for backbone, order in (
        (FirstPoint(), 'any'),
        (LastPoint(), 'any'),
        (LastPoint(), 'behind_first'),
        (Small(), 'any'),
    ):
        with pytest.raises(AssertionError, match='the same points in another order'):
            check_backbone(backbone, order=order)
    with pytest.raises(AssertionError, match="order is 'all', expected 'any'"):
        check_backbone(Good(), order='all')


def test_check_backbone_finds_state_that_is_not_saved():
    with pytest.raises(
        AssertionError, match='Hidden gives another feature after its state_dict was loaded'
    ):
        check_backbone(dict(type='_TestingHidden'))


def test_random_inputs():
    assert random_clouds(2, 1).shape == (2, 1, 3) and random_views(2, 3, 1, 8).shape == (
        2,
        3,
        1,
        8,
        8,
    )
    assert random_clouds(3, 50, 6)[..., :3].norm(dim=-1).amax(1).allclose(torch.ones(3))


class Loss(nn.Module):
    def __init__(self, loss_weight=3.0):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, student_logits, teacher_logits, target, student_feat=None):
        gap = (student_logits.log_softmax(1) - teacher_logits.log_softmax(1)).square().mean()
        return self.loss_weight * (gap + (student_feat.mean() if student_feat is not None else 0))


class PerSample(Loss):
    def forward(self, student_logits):
        return student_logits.mean(1)


class Unscaled(Loss):
    def forward(self, student_logits):
        return student_logits.square().mean()


class LogOfSoftmax(Loss):
    def forward(self, student_logits):
        return self.loss_weight * student_logits.softmax(1).log().mean()


class NoGradient(Loss):
    def forward(self, student_logits, student_feat):
        return self.loss_weight * student_logits.square().mean()


class Noisy(Loss):
    def forward(self, student_logits):
        return self.loss_weight * (student_logits + torch.rand(1)).mean()


class OtherName(Loss):
    def forward(self, logits):
        return logits.mean()


def test_check_loss_accepts_and_changes_nothing():
    loss = Loss()
    check_loss(loss)
    assert loss.loss_weight == 3.0
    check_loss(dict(type='CrossEntropyLoss'))


@pytest.mark.parametrize(
    ('loss', 'message'),
    [
        (PerSample, 'return a finite scalar'),
        (Unscaled, 'must be proportional'),
        (LogOfSoftmax, 'use log_softmax'),
        (NoGradient, 'gradient to student_feat is missing'),
        (Noisy, 'two values'),
        (OtherName, "argument 'logits'"),
    ],
)
def test_check_loss_refuses(loss, message):
    with pytest.raises(AssertionError, match=f'{loss.__name__}.*{message}'):
        check_loss(loss())


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


class Clouds(PointCloudDataset):
    METAINFO = dict(classes=('a', 'b'), up_axis='y', task='classification')

    def load_records(self):
        points = np.random.default_rng(0).random((4, 5, 3), dtype=np.float32)
        return Records(
            points,
            np.array([0, 1, 0, 1]),
            [f's{i}' for i in range(4)],
            dict(normals=points.copy()),
            'memory',
        )


def jitter(info):
    return {**info, 'points': info['points'] + np.random.rand()}


def torch_jitter(info):
    return {**info, 'points': info['points'] + float(torch.rand(1))}


class NoUp(Clouds):
    METAINFO = dict(classes=('a', 'b'), task='classification')

    def get_data_info(self, idx):
        return super(PointCloudDataset, self).get_data_info(idx)


class Writeable(Clouds):
    def get_data_info(self, idx):
        info = super().get_data_info(idx)
        return {**info, 'normals': info['normals'].copy()}


class SameName(Clouds):
    def get_data_info(self, idx):
        return {**super().get_data_info(idx), 'sample_id': 'one'}


class Doubles(Clouds):
    def get_data_info(self, idx):
        return {**super().get_data_info(idx), 'points': np.zeros((5, 3))}


def test_check_dataset_accepts():
    state = np.random.get_state()[1].copy()
    check_dataset(Clouds(pipeline=[jitter]))
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    ('dataset', 'message'),
    [
        (NoUp, 'up_axis'),
        (Writeable, 'normals can be written to'),
        (SameName, 'sample_id of its own'),
        (Doubles, 'float32 array'),
    ],
)
def test_check_dataset_refuses(dataset, message):
    with pytest.raises(AssertionError, match=f'{dataset.__name__}.*{message}'):
        check_dataset(dataset())


def test_check_dataset_finds_random_numbers_that_are_not_seeded():
    with pytest.raises(AssertionError, match='differs between two reads'):
        check_dataset(Clouds(pipeline=[torch_jitter]))
