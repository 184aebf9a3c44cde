import pytest
import torch

from pcdet_kd.engine.pipeline import run_stages
from pcdet_kd.engine.stages import plan
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights


def reference(encoder, feat):
    """Linear, BatchNorm with running statistics and LeakyReLU(0.1), three times, in float64."""
    for i in range(0, 9, 3):
        linear, norm, act = encoder.layers[i : i + 3]
        assert linear.bias is None and act.negative_slope == 0.1
        feat = feat @ linear.weight.t().double()
        scale = (norm.running_var.double() + norm.eps).sqrt()
        feat = (feat - norm.running_mean) / scale * norm.weight.double() + norm.bias.double()
        feat = torch.where(feat > 0, feat, 0.1 * feat)
    return feat / feat.norm(dim=1, keepdim=True)


def test_it_is_the_papers_formula(build_method, terms, batch):
    torch.manual_seed(0)
    model = build_method('iekd').eval()
    found = terms(model)
    feat = model.student(batch['inputs']).feat.double()
    taught = model.teachers['main'](batch['inputs'], []).feat.double()
    factor = reference(model.helpers['encoder'].model.encoder, taught)
    near = reference(model.helpers['inherit'], feat[:, :8])
    far = reference(model.helpers['explore'], feat[:, 8:])
    torch.testing.assert_close(found['loss_inherit'].double(), (near - factor).abs().mean())
    torch.testing.assert_close(found['loss_explore'].double(), -(far - factor).abs().mean())


def test_training_brings_one_half_near_and_drives_the_other_away(build_method, terms, batch):
    torch.manual_seed(0)
    model = build_method('iekd').train()
    first = {name: value.item() for name, value in terms(model).items()}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(30):
        optimizer.zero_grad()
        sum(terms(model).values()).backward()
        optimizer.step()
    last = terms(model)
    assert last['loss_inherit'] < 0.7 * first['loss_inherit']
    assert last['loss_explore'] < first['loss_explore'] < 0


@pytest.mark.parametrize(
    ('name', 'change', 'words'),
    [
        ('inherit', dict(in_channels=16), 'helpers.inherit.in_channels is 16, expected 8'),
        ('explore', dict(out_channels=7), 'helpers.explore.out_channels is 7, expected 6'),
        (
            'encoder',
            dict(model=dict(type='FactorAutoEncoder', in_channels=10)),
            "helpers.encoder is 10, expected 12, the width of the teacher's feature",
        ),
    ],
)
def test_widths_that_do_not_fit_are_named_when_it_is_built(name, change, words, build_method):
    helpers = dict(build_method.methods['iekd']['helpers'])
    helpers[name] = dict(helpers[name], **change)
    with pytest.raises(ValueError, match=words):
        build_method('iekd', helpers=helpers)


def test_an_odd_feature_has_no_halves(build_method, tiny_student):
    tiny_student['head']['hidden_channels'] = (15,)
    with pytest.raises(ValueError, match='15 channels, an odd number'):
        build_method('iekd', student=tiny_student)


BANK = "dict(type='FeatureBank', teacher=_base_.teacher, data=_base_.bank_data)"
HALF = "dict(type='FactorEncoder', in_channels=8, out_channels=8)"
CONFIGS = {
    'tiny_autoencoder': f"""
_base_ = 'tiny_base.py'
requires = dict(teacher='tiny_teacher.py')
model = dict(type='FactorAutoEncoder', in_channels=16, teacher={BANK})
val_evaluator = dict(_delete_=True, type='GenerationDistance', field='l1')
test_evaluator = dict(_delete_=True, type='GenerationDistance', field='l1')
default_hooks = dict(checkpoint=dict(save_best='l1', rule='less'))
""",
    'tiny_all': f"""
_base_ = 'tiny_base.py'
requires = dict(teacher='tiny_teacher.py', autoencoder='tiny_autoencoder.py')
srrl = dict(
    type='SRRL',
    teachers=dict(main='image'),
    losses=dict(feature=dict(type='FeatureMSELoss'), logit=dict(type='LogitMSELoss')),
    helpers=dict(
        connector=dict(type='Connector', in_channels=16, out_channels=16, norm='bn', act='relu'),
        classifier=dict(type='FrozenClassifier', checkpoint='stage:teacher')))
iekd = dict(
    type='IEKD',
    teachers=dict(main='image'),
    losses=dict(inherit=dict(type='InheritanceLoss'), explore=dict(type='ExplorationLoss')),
    helpers=dict(
        encoder=dict(type='FrozenEncoder', checkpoint='stage:autoencoder'),
        inherit={HALF}, explore={HALF}))
model = dict(type='Combined', student=_base_.student, teachers=dict(image={BANK}),
             methods=dict(srrl=srrl, iekd=iekd))
""",
}


def test_both_steps_and_srrl_are_stages_of_one_command(tiny_configs):
    """Frozen helpers take their weights from the stages that trained them, and stay out of the
    checkpoint; connectors are in it.
    """
    for name, text in CONFIGS.items():
        (tiny_configs / f'{name}.py').write_text(text)
    stages = plan(tiny_configs / 'tiny_all.py')
    run_stages(stages)
    assert [stage.name for stage in stages] == ['teacher', 'autoencoder', 'tiny_all']
    assert stages[1].record.results['last']['l1'] > 0
    leaf = stages[-1]
    state = load_checkpoint_file(leaf.work_dir / 'last.pth')['state_dict']
    kept = {key.rsplit('.helpers.')[-1].split('.')[0] for key in state if '.helpers.' in key}
    assert kept == {'connector', 'inherit', 'explore'}
    student = MODELS.build(leaf.cfg.model.student)
    load_weights(student, leaf.weights)
    again = plan(tiny_configs / 'tiny_all.py')
    run_stages(again)
    assert all(stage.reused for stage in again)
    model = MODELS.build(leaf.resolved().model)
    model.init_weights()
    trained = load_checkpoint_file(stages[1].weights)['state_dict']
    encoder = model.methods['iekd'].helpers['encoder'].model.state_dict()
    assert all(torch.equal(trained[key], value) for key, value in encoder.items())
