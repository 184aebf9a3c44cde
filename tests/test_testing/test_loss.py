"""check_loss passes a right part and names what is wrong with a wrong one."""

import pytest
import torch
from torch import nn

from pcdet_kd.testing import check_loss


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
