import pytest
import torch

from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES


def test_built_from_a_config():
    student, teacher = torch.randn(4, 7), torch.randn(4, 7, requires_grad=True)
    loss = LOSSES.build(
        dict(
            type='LogitKDLoss',
            temperature=1.5,
            reduction='sum',
            detach_target=False,
            loss_weight=0.3,
        )
    )
    value = loss(student_logits=student, teacher_logits=teacher)
    assert torch.equal(value, 0.3 * functional.logit_kd(student, teacher, 1.5, 'sum'))
    assert value.requires_grad
    plain = LOSSES.build(dict(type='LogitKDLoss'))(student, teacher)
    assert torch.equal(plain, functional.logit_kd(student, teacher, 4.0, 'batchmean'))
    assert not plain.requires_grad


@pytest.mark.parametrize(
    'args, message',
    [
        (dict(temperature=0.0), 'temperature is 0.0'),
        (dict(reduction='mean'), "reduction is 'mean'"),
    ],
)
def test_bad_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        LOSSES.build(dict(type='LogitKDLoss', **args))
