"""A teacher with everything, and a small config of each method that learns from it."""

import pytest
import torch

from pcdet_kd.distillers import ContrastMemory
from pcdet_kd.registry import DISTILLERS, TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Frozen, Teacher

WIDTH = 12  # of the teacher's feature; the student's is 16


@TEACHERS.register_module(force=True)
class AllKnowing(Teacher):
    """Logits, a feature and a map that depend on the points only."""

    feat_channels = WIDTH

    def forward(self, inputs, data_samples):
        points = inputs['points']
        return ModelOutput(
            4 * points.mean(1), points.flatten(1)[:, :WIDTH].relu(), (points.transpose(1, 2),)
        )

    def weights_hash(self):
        return 'always the same'


TRAINED = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet', local_channels=(8,), global_channels=(16,)),
    head=dict(type='MLPHead', hidden_channels=(WIDTH,), num_classes=3),
)
CONNECTOR = dict(type='Connector', in_channels=16, out_channels=WIDTH)


def _feature(loss, connected=True, **arguments):
    helpers = dict(helpers=dict(connector=CONNECTOR)) if connected else {}
    return dict(type='FeatureKD', losses=dict(feature=dict(type=loss, **arguments)), **helpers)


METHODS = {
    'hinton': dict(type='LogitKD', losses=dict(logit=dict(type='LogitKDLoss'))),
    'dkd': dict(type='LogitKD', losses=dict(logit=dict(type='DecoupledKDLoss'))),
    'fitnet': _feature('FeatureMSELoss'),
    'normalize1': _feature('NormalizedMSELoss', variant='I'),
    'normalize2': _feature('NormalizedMSELoss', variant='II'),
    'vid': _feature('VariationalLoss', channels=WIDTH),
    'rkd': _feature('RelationalKDLoss', connected=False),
    'sp': _feature('SimilarityPreservingLoss', connected=False),
    'pkt': _feature('ProbabilisticTransferLoss', connected=False),
    'attention': dict(
        type='AttentionKD', losses=dict(attention=dict(type='AttentionTransferLoss'))
    ),
    'srrl': dict(
        type='SRRL',
        losses=dict(feature=dict(type='FeatureMSELoss'), logit=dict(type='LogitMSELoss')),
        helpers=dict(
            connector=dict(CONNECTOR, norm='bn', act='relu', bias=False),
            classifier=dict(type='FrozenClassifier', model=TRAINED, checkpoint='stage:teacher'),
        ),
    ),
    'iekd': dict(
        type='IEKD',
        losses=dict(inherit=dict(type='InheritanceLoss'), explore=dict(type='ExplorationLoss')),
        helpers=dict(
            encoder=dict(
                type='FrozenEncoder',
                model=dict(type='FactorAutoEncoder', in_channels=WIDTH),
                checkpoint='stage:autoencoder',
            ),
            inherit=dict(type='FactorEncoder', in_channels=8, out_channels=WIDTH // 2),
            explore=dict(type='FactorEncoder', in_channels=8, out_channels=WIDTH // 2),
        ),
    ),
    'crd': dict(
        type='CRD',
        losses=dict(contrast=dict(type='NoiseContrastLoss')),
        helpers=dict(
            student=dict(type='Connector', in_channels=16, out_channels=8, unit_length=True),
            teacher=dict(type='Connector', in_channels=WIDTH, out_channels=8, unit_length=True),
            memory=dict(type='ContrastMemory', channels=8, negatives=5),
        ),
    ),
}


@pytest.fixture(autouse=True)
def _same_weights_in_every_run():
    torch.manual_seed(0)


@pytest.fixture(params=METHODS)
def method(request):
    """The name of a method; a test that takes it runs for each."""
    return request.param


@pytest.fixture
def build_method(tiny_student):
    """Build a method by name with the tiny student, ready to train on the samples train/0 to
    train/5.

    ``weight`` is the weight of all its losses; other arguments replace those of the config.
    """

    def build(name, weight=None, student=None, **changes):
        cfg = dict(METHODS[name], teachers=dict(main=dict(type='AllKnowing')), **changes)
        if weight is not None:
            losses = cfg['losses'].items()
            cfg['losses'] = {key: dict(loss, loss_weight=weight) for key, loss in losses}
        model = DISTILLERS.build(dict(cfg, student=student or tiny_student))
        ready(model)
        return model

    build.methods, build.ready = METHODS, ready
    return build


def ready(model):
    """Do what a Runner does before training."""
    for part in model.modules():
        if isinstance(part, Frozen):
            part.pretend_trained()
        if isinstance(part, ContrastMemory):
            part.set_samples([f'train/{i}' for i in range(6)])


@pytest.fixture
def terms(batch):
    """Return the terms that a method adds."""

    def run(model):
        torch.manual_seed(0)
        losses = model(batch['inputs'], batch['data_samples'], mode='loss')
        return {name: value for name, value in losses.items() if name != 'loss_cls'}

    return run
