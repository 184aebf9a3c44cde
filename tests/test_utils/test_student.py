import pytest
import torch
from mmengine.config import ConfigDict
from torch import nn

from pcdet_kd.registry import MODEL_WRAPPERS, MODELS
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.student import (
    backbone_of,
    backbone_weights,
    is_distiller,
    student_config,
    student_of,
    student_weights,
    unwrapped,
)

STUDENT = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet', local_channels=(8,), global_channels=(8,)),
    head=dict(type='MLPHead', num_classes=3, hidden_channels=()),
)
DISTILLER = dict(
    type='JGEKD', student=STUDENT, losses=dict(graph=dict(type='JointGraphEntropyLoss'))
)


@pytest.fixture
def distiller():
    torch.manual_seed(0)
    return MODELS.build(DISTILLER)


def test_in_a_config():
    assert is_distiller(DISTILLER) and student_config(DISTILLER) == STUDENT
    assert not is_distiller(STUDENT) and student_config(STUDENT) is STUDENT
    assert is_distiller(ConfigDict({**DISTILLER, 'type': MODELS.get('JGEKD')}))
    other = dict(type='VotingTTA', student=STUDENT)  # the key alone makes no distiller
    assert student_config(other) is other
    with pytest.raises(KeyError, match="Did you mean 'JGEKD'"):
        is_distiller(dict(type='JGEKDD'))


def test_in_a_model(distiller):
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    voting = MODELS.build(dict(type='VotingTTA', module=DISTILLER))
    voting.module = distiller
    plain = MODELS.build(STUDENT)
    assert student_of(distiller) is student_of(voting) is distiller.student
    assert unwrapped(voting) is distiller and student_of(plain) is plain
    plain.student = distiller
    assert student_of(plain) is plain
    wrapped = Wrapper(distiller)
    assert not is_distiller(wrapped)
    MODEL_WRAPPERS.register_module(module=Wrapper)
    try:
        assert student_of(wrapped) is distiller.student
    finally:
        MODEL_WRAPPERS.module_dict.pop('Wrapper')


def test_a_subclass_that_is_not_registered_is_a_distiller_too(distiller):
    class Own(type(distiller)):
        pass

    assert student_of(Own(**{k: v for k, v in DISTILLER.items() if k != 'type'})).head


def test_in_a_state_dict(distiller):
    state = {**distiller.state_dict(), 'helpers.connector.weight': torch.zeros(1)}
    own = distiller.student.state_dict()
    for checkpoint in (state, own, dict(state_dict=state), dict(state_dict=own)):
        weights = student_weights(checkpoint)
        assert list(weights) == list(own) and all(torch.equal(weights[k], own[k]) for k in own)
    with pytest.raises(CheckpointError, match='mine.pth holds no weights: it is a list'):
        student_weights([1], 'mine.pth')


def test_the_backbone_that_is_evaluated(distiller):
    assert backbone_of(distiller) is distiller.student.backbone
    plain = MODELS.build(STUDENT)
    assert backbone_of(plain) is plain.backbone
    distiller.evaluated_backbone = plain.backbone
    voting = MODELS.build(dict(type='VotingTTA', module=DISTILLER))
    voting.module = distiller
    assert backbone_of(distiller) is backbone_of(voting) is plain.backbone
    with pytest.raises(ValueError, match='Linear has no backbone'):
        backbone_of(nn.Linear(1, 1))


def test_the_weights_of_a_backbone_alone(distiller):
    own = distiller.student.backbone.state_dict()
    found, part = backbone_weights(dict(state_dict=distiller.state_dict()))
    assert found.keys() == own.keys() and 'student' in part
    ema = {f'teachers.ema.model.backbone.{k}': v + 1 for k, v in own.items()}
    found, part = backbone_weights({**distiller.state_dict(), **ema})
    assert 'EMA' in part and all(torch.equal(v, own[k] + 1) for k, v in found.items())
    found, part = backbone_weights(distiller.student.state_dict())
    assert found.keys() == own.keys() and 'classifier' in part
    assert backbone_weights(own) == (own, 'a backbone alone')
    with pytest.raises(CheckpointError, match=r'x\.pth holds no weights'):
        backbone_weights({}, 'x.pth')
