import pytest
import torch
from mmengine.config import Config

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.hooks import SeedHook
from pcdet_kd.engine.pipeline import StaleStageError, run_stages
from pcdet_kd.engine.pretrained import start_backbone, starts_backbone, without_start
from pcdet_kd.engine.rehearsal import rehearse
from pcdet_kd.engine.stages import baseline_of, plan
from pcdet_kd.utils.checkpoint import load_checkpoint_file, save_checkpoint_file
from pcdet_kd.utils.stop import StoppedBySignal, stopped
from pcdet_kd.utils.student import backbone_weights, student_weights

PRETRAIN = """
_base_ = 'tiny_base.py'
model = dict(type='JGEKD', student=_base_.student, losses=dict(graph=dict(type='JointGraphEntropyLoss')))
train_pipeline = [dict(type='SiameseViews', view_2=[dict(type='RandomScale')]), dict(type='PackPointInputs', keys=('points', 'points_2'))]
"""  # noqa: E501
FINETUNE = """
_base_ = 'tiny_base.py'
requires = dict(pretrain='tiny_pretrain.py')
model = _base_.student
model.backbone.init_cfg = dict(type='PretrainedBackbone', checkpoint='stage:pretrain')
optim_wrapper = dict(optimizer=dict(lr=0))
"""
TAUGHT = """
_base_ = 'tiny_base.py'
requires = dict(teacher='tiny_finetune.py')
model = dict(type='LogitKD', student=_base_.student,
             teachers=dict(main=dict(type='FrozenTeacher', checkpoint='stage:teacher')),
             losses=dict(logit=dict(type='LogitKDLoss')))
"""


@pytest.fixture
def leaf(tiny_configs):
    """A config that starts from the backbone of another one's student."""
    for name, text in (('pretrain', PRETRAIN), ('finetune', FINETUNE), ('taught', TAUGHT)):
        (tiny_configs / f'tiny_{name}.py').write_text(text)
    return tiny_configs / 'tiny_finetune.py'


def same(found, wanted, but=()):
    return all(torch.equal(value, wanted[key]) for key, value in found.items() if key not in but)


def learnable(weights):
    return {k: v for k, v in weights.items() if 'running' not in k and 'tracked' not in k}


def test_a_stage_gives_its_backbone(leaf):
    stages = plan(leaf)
    rehearse(stages[-1])  # random weights: the stage is not trained yet
    run_stages(stages)
    file = stages[-1].resolved().model.backbone.init_cfg.checkpoint
    assert file == 'work_dirs/tiny_pretrain/last.pth', 'the whole checkpoint, not the student'
    wanted, part = backbone_weights(load_checkpoint_file(file))
    assert part == "the backbone of the distiller's student"
    found, _ = backbone_weights(load_checkpoint_file(stages[-1].weights))
    assert same(learnable(found), wanted), 'it was trained with a learning rate of 0'
    assert all(stage.reused for stage in run_stages(plan(leaf)))

    changed = load_checkpoint_file(file)
    changed['state_dict']['student.backbone.extra'] = torch.zeros(1)
    save_checkpoint_file(changed, file)
    with pytest.raises(StaleStageError, match=r'model\.backbone\.init_cfg\.checkpoint: sha256:'):
        run_stages(plan(leaf))


def test_a_teacher_that_was_fine_tuned_is_read_from_its_own_file(leaf):
    stages = plan(leaf.with_name('tiny_taught.py'), {'max_epochs': 1}, with_baseline=True)
    names = [stage.name for stage in stages]
    assert names == ['pretrain', 'teacher', 'tiny_taught_baseline', 'tiny_taught']
    assert 'init_cfg' not in stages[-1].cfg.model.teachers.main.model.backbone
    run_stages(stages)
    assert stages[-1].record.finished


def test_the_student_s_baseline_starts_from_the_same_stage(leaf):
    path = leaf.with_name('tiny_taught.py')
    start = "init_cfg=dict(type='PretrainedBackbone', checkpoint='stage:pretrain')"
    text = path.read_text().replace(
        'requires = dict(', "requires = dict(pretrain='tiny_pretrain.py', "
    )
    path.write_text(f"{text}model['student'].backbone.update({start})\n")
    baseline = baseline_of(plan(path)[-1])
    assert set(baseline.requires) == {'pretrain'}
    assert baseline.resolved().model.backbone.init_cfg.checkpoint.endswith('pretrain/last.pth')


def test_a_file_takes_the_place_of_the_stage(leaf, tmp_path):
    torch.manual_seed(0)
    run_stages(plan(leaf.with_name('tiny_pretrain.py'), {'max_epochs': 1}, work_dir='other'))
    stages = plan(leaf, {'max_epochs': 1}, load_backbone='other/student_last.pth')
    assert [stage.name for stage in stages] == ['tiny_finetune']
    run_stages(stages)
    found, wanted = (
        student_weights(load_checkpoint_file(file))
        for file in (stages[0].weights, 'other/student_last.pth')
    )
    assert same(learnable(backbone_weights(found)[0]), backbone_weights(wanted)[0])
    distilled = plan(leaf.with_name('tiny_taught.py'), load_backbone='x.pth')
    assert [stage.name for stage in distilled] == ['pretrain', 'teacher', 'tiny_taught']
    assert distilled[-1].cfg.model.student.backbone.init_cfg.checkpoint == 'x.pth'
    with pytest.raises(ConfigError, match='PointGenerator has no backbone'):
        plan(leaf.with_name('tiny_generator.py'), load_backbone='x.pth')


def test_it_resumes_exactly_and_notices_another_file(leaf, monkeypatch):
    run_stages(plan(leaf.with_name('tiny_pretrain.py'), {'max_epochs': 1}, work_dir='other'))
    options = {'optim_wrapper.optimizer.lr': 0.01}

    def stages(work_dir, file='other/last.pth'):
        return plan(leaf, options, work_dir=work_dir, load_backbone=file)

    whole = run_stages(stages('whole'))[-1]
    original = SeedHook.before_train_iter

    def stop(self, runner, **kwargs):
        if runner.epoch == 1:
            raise stopped(2)
        original(self, runner, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(StoppedBySignal):
        patch.setattr(SeedHook, 'before_train_iter', stop)
        run_stages(stages('parts'))
    with open('other/last.pth', 'rb') as file:
        content = file.read()
    changed = load_checkpoint_file('other/last.pth')
    changed['state_dict']['student.head.fc.bias'] += 1
    save_checkpoint_file(changed, 'other/last.pth')
    with pytest.raises(StaleStageError, match='checkpoint: sha256:'):
        run_stages(stages('parts'))
    with open('other/copy', 'wb') as file:  # another name, the same content
        file.write(content)
    parts = run_stages(stages('parts', 'other/copy'))[-1]
    assert same(*(load_checkpoint_file(s.weights)['state_dict'] for s in (whole, parts)))


def test_nothing_else_in_a_config_is_touched():
    start = dict(type='PretrainedBackbone', checkpoint='a.pth')
    model = dict(backbone=dict(a=1, init_cfg=[dict(type='Normal'), start]), parts=({}, [1]))
    cfg = Config(dict(model=dict(model, type='PointClassifier')))
    assert without_start(dict(b=model)) == dict(
        b=dict(backbone=dict(a=1, init_cfg=[dict(type='Normal')]), parts=({}, [1]))
    )
    start_backbone(cfg, 'b.pth')
    assert starts_backbone(cfg.model.backbone.init_cfg)
    assert without_start(cfg.model) == dict(
        type='PointClassifier', backbone=dict(a=1), parts=({}, [1])
    )


ASYMDSD = """
_base_ = 'tiny_base.py'
vit = dict(type='PointViT', preset='asymdsd_s', embed_dims=24, depth=1, num_heads=2, num_patches=6, patch_size=4,
           drop_path=0.0, tokenizer=dict(first=(8,), second=(8,)))
"""  # noqa: E501
ASYMDSD_PRETRAIN = """
loss = dict(type='SelfDistillationLoss', num_prototypes=20)
model = dict(type='AsymDSD', losses=dict(cls=loss, patch=loss), num_masks=2, local_patches=3,
             student=dict(type='MaskedPointEncoder', backbone=vit,
                          projection=dict(num_prototypes=20, hidden_channels=(8, 8), bottleneck=8),
                          predictor=dict(embed_dims=8, depth=1, num_heads=2)))
train_pipeline = [dict(type='MultiCrop', global_crops=dict(count=2, num_points=12, fraction=(0.8, 1.0)),
                       local_crops=dict(count=2, num_points=6, fraction=(0.4, 0.8))),
                  dict(type='PackPointInputs', keys=('global_crops', 'local_crops'))]
val_dataloader = val_evaluator = val_cfg = test_dataloader = test_evaluator = test_cfg = None
default_hooks = dict(checkpoint=dict(save_best=None, rule=None))
probed = dict(type='TinyClouds', num=12, pipeline=[dict(type='PackPointInputs')])
custom_hooks = [
    dict(type='EMATeacherHook'),
    dict(type='FeatureProbeHook', interval=1, train=probed, test=dict(probed, split='test'), methods=['knn'])]
"""  # noqa: E501
ASYMDSD_FINETUNE = """
requires = dict(pretrain='tiny_asymdsd.py')
model = dict(type='PointClassifier', head=dict(type='MLPHead', hidden_channels=()), backbone=dict(
    vit, init_cfg=dict(type='PretrainedBackbone', checkpoint='stage:pretrain')))
custom_hooks = [dict(type='FreezeBackboneHook')]
"""


def test_asymdsd_gives_the_backbone_of_its_teacher(tiny_configs):
    (tiny_configs / 'tiny_asymdsd.py').write_text(ASYMDSD + ASYMDSD_PRETRAIN)
    leaf = tiny_configs / 'tiny_probe.py'
    leaf.write_text(ASYMDSD + ASYMDSD_FINETUNE)
    stages = run_stages(plan(leaf))
    assert [stage.name for stage in stages] == ['pretrain', 'tiny_probe']
    weights = load_checkpoint_file('work_dirs/tiny_asymdsd/last.pth')['state_dict']
    found = backbone_weights(load_checkpoint_file(stages[-1].weights))[0]
    for key, value in found.items():
        assert torch.equal(value, weights[f'teachers.ema.model.backbone.{key}'])
    assert not torch.equal(found['cls_token'], weights['student.backbone.cls_token'])
    log = next(stages[0].work_dir.glob('2*/*.log')).read_text()
    assert 'Epoch 1: probe/knn: ' in log and '(12 and 12 clouds)' in log
