import torch

from pcdet_kd.distillers import LogitKD
from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Teacher


@TEACHERS.register_module(force=True)
class MeanPointTeacher(Teacher):
    """Its logits are the mean point."""

    def forward(self, inputs, data_samples):
        return ModelOutput(inputs['points'].mean(1), inputs['points'].mean(1))


def test_it_is_hintons_loss(tiny_student, batch):
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
    torch.testing.assert_close(losses['loss_logit'].double(), expected, rtol=1e-6, atol=1e-7)
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
