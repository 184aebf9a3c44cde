import pytest
import torch

from pcdet_kd.distillers import LogitKD
from pcdet_kd.losses.decoupled_kd import decoupled_kd
from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Teacher


@TEACHERS.register_module(force=True)
class MeanPointTeacher(Teacher):
    """Its logits are the mean point."""

    def forward(self, inputs, data_samples):
        return ModelOutput(inputs['points'].mean(1), inputs['points'].mean(1))


def test_it_is_hintons_loss(tiny_student, batch):
    torch.manual_seed(0)
    model = LogitKD(
        tiny_student,
        dict(main=dict(type='MeanPointTeacher')),
        dict(logit=dict(type='LogitKDLoss', temperature=2.0, loss_weight=0.5)),
    ).eval()
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    student = model.student(batch['inputs']).logits.double()
    teacher = batch['inputs']['points'].mean(1).double()
    p = (teacher / 2).softmax(1)
    expected = 0.5 * 4 * (p * (p.log() - (student / 2).log_softmax(1))).sum(1).mean()
    torch.testing.assert_close(losses['loss_logit'].double(), expected, rtol=1e-5, atol=1e-6)
    agree = (student.argmax(1) == teacher.argmax(1)).double().mean()
    torch.testing.assert_close(losses['stat_agreement'].double(), agree)


def test_the_teacher_sees_the_mixed_clouds(tiny_student, batch):
    augments = dict(
        type='PointDataPreprocessor', batch_augments=dict(augments=dict(type='PointMixup'))
    )
    model = LogitKD(
        {**tiny_student, 'data_preprocessor': augments},
        dict(main=dict(type='MeanPointTeacher')),
        dict(logit=dict(type='LogitKDLoss')),
    ).eval()
    mixed = model.data_preprocessor(batch, True)
    losses = model(**mixed, mode='loss')
    logits, points = model.student(mixed['inputs']).logits, mixed['inputs']['points']
    torch.testing.assert_close(losses['loss_logit'], model.losses['logit'](logits, points.mean(1)))
    score = torch.stack([sample.gt_score for sample in mixed['data_samples']])
    torch.testing.assert_close(losses['loss_cls'], -(score * logits.log_softmax(1)).sum(1).mean())


def unlabelled(batch, *missing):
    for i in missing:
        del batch['data_samples'][i].gt_label
    return batch


def test_decoupled_distillation_gets_labels_or_else_the_teachers_class(
    build_method, terms, batch, monkeypatch
):
    """Clouds 1 and 4 have no label."""
    model = build_method('dkd').eval()
    found = terms(model)
    teacher = model.teachers['main'](batch['inputs'], []).logits
    student = model.student(batch['inputs']).logits
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    torch.testing.assert_close(
        found['loss_logit'], decoupled_kd(student, teacher, labels), rtol=0, atol=0
    )
    guessed = torch.where(torch.tensor([0, 1, 0, 0, 1, 0]).bool(), teacher.argmax(1), labels)
    assert not torch.equal(guessed, labels)
    monkeypatch.setattr(model, 'run_student', lambda *_: (model.student(batch['inputs']), {}))
    unlabelled(batch, 1, 4)
    found = terms(model)
    torch.testing.assert_close(
        found['loss_logit'], decoupled_kd(student, teacher, guessed), rtol=0, atol=0
    )


def test_a_loss_that_needs_one_class_refuses_mixed_clouds(build_method, terms, batch):
    batch['data_samples'][2].set_gt_score(torch.tensor([0.5, 0.5, 0]))
    terms(build_method('hinton'))
    with pytest.raises(ValueError, match='DecoupledKDLoss needs one label.*remove batch_augments'):
        terms(build_method('dkd'))
