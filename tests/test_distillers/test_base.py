import copy

import pytest
import torch

from pcdet_kd.distillers import Distiller
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Frozen, Teacher
from pcdet_kd.utils.student import student_weights


@MODELS.register_module(force=True)
class NegatedTeacher(Teacher):
    """Says the opposite of what a fixed linear map of the points says."""

    def forward(self, inputs, data_samples):
        return ModelOutput(-inputs['points'].mean(1), inputs['points'].mean(1))


class Both(Distiller):
    needs_teachers = ('main',)
    needs_losses = ('logit',)

    def distill(self, out, inputs, samples):
        logits = self.teachers['main'](inputs, samples).logits
        return dict(
            loss_logit=self.losses['logit'](student_logits=out.logits, teacher_logits=logits)
        )


def build(student, weight=1.0):
    return Both(
        student,
        dict(main=dict(type='NegatedTeacher')),
        dict(logit=dict(type='LogitKDLoss', loss_weight=weight)),
    )


def train(model, batch, steps=4):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(steps):
        losses = model(batch['inputs'], batch['data_samples'], mode='loss')
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()


def test_terms_are_added_to_the_students_losses(tiny_student, batch):
    model = build(tiny_student)
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    assert sorted(losses) == ['loss_cls', 'loss_logit']


def test_weight_zero_is_plain_training_bit_for_bit(tiny_student, batch):
    tiny_student['head']['dropout'] = 0.4
    trained = []
    for make in (
        lambda: MODELS.build(tiny_student),
        lambda: build(tiny_student, weight=0.0),
        lambda: build(tiny_student),
    ):
        torch.manual_seed(3)
        model = make()
        torch.manual_seed(4)
        train(model, batch)
        trained.append(getattr(model, 'student', model).state_dict())
    plain, zero, one = trained
    assert all(torch.equal(plain[name], zero[name]) for name in plain)
    assert any(not torch.equal(plain[name], one[name]) for name in plain)


@pytest.mark.parametrize('clipped', [False, True])
def test_weight_zero_of_each_method_is_plain_training_bit_for_bit(
    method, build_method, tiny_student, batch, clipped
):
    tiny_student['head']['dropout'] = 0.4
    trained = []
    for make in (lambda: MODELS.build(tiny_student), lambda: build_method(method, weight=0.0)):
        torch.manual_seed(3)
        model = make().train()
        torch.manual_seed(4)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        for _ in range(3):
            losses = model(batch['inputs'], batch['data_samples'], mode='loss')
            optimizer.zero_grad()
            sum(v for k, v in losses.items() if k.startswith('loss_')).backward()
            if clipped:
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
        trained.append(getattr(model, 'student', model).state_dict())
    plain, zero = trained
    assert all(torch.equal(plain[name], zero[name]) for name in plain)


def test_every_method_trains_the_student_and_its_helpers_and_nothing_else(
    method, build_method, batch
):
    torch.manual_seed(0)
    model = build_method(method).train()
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    terms = [
        value for key, value in losses.items() if key.startswith('loss_') and key != 'loss_cls'
    ]
    assert all(torch.isfinite(term) for term in terms)
    sum(terms).backward()
    assert model.student.backbone.local_mlp[0].linear.weight.grad.abs().sum() > 0
    helpers = [*model.helpers.parameters(), *model.losses.parameters()]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in helpers)
    frozen = [part for part in model.modules() if isinstance(part, Frozen)]
    assert all(p.grad is None for part in frozen for p in part.model.parameters())
    held = {id(p) for part in frozen for p in part.model.parameters()}
    assert not held & {id(p) for p in model.parameters()}


@pytest.mark.parametrize('without', [range(3), range(6)], ids=['half', 'none'])
def test_every_method_learns_from_clouds_without_labels(method, without, build_method, batch):
    """Its terms are those of all clouds; where it uses labels, others stand in for them."""
    model = build_method(method).eval()
    with torch.no_grad():
        known = model(batch['inputs'], batch['data_samples'], mode='loss')
        for i in without:
            del batch['data_samples'][i].gt_label
        found = model(batch['inputs'], batch['data_samples'], mode='loss')
    terms = [key for key in found if key.startswith('loss_') and key != 'loss_cls']
    assert all(torch.isfinite(found[key]) for key in terms)
    if method not in ('dkd', 'crd'):
        assert all(torch.equal(found[key], known[key]) for key in terms)


def test_no_method_is_in_the_exported_student(method, build_method, tiny_student):
    state = build_method(method).state_dict()
    plain = MODELS.build(tiny_student)
    plain.load_state_dict(student_weights(state), strict=True)
    assert len(student_weights(state)) == len(plain.state_dict())


def test_methods_do_not_draw_global_random_numbers(method, build_method, batch):
    model = build_method(method).train()
    before = torch.get_rng_state()
    model(batch['inputs'], batch['data_samples'], mode='loss')
    assert torch.equal(torch.get_rng_state(), before)


def test_outside_training_it_is_its_student(tiny_student, batch):
    model = build(tiny_student).eval()
    assert torch.equal(model(batch['inputs']).logits, model.student(batch['inputs']).logits)
    ours, student = (
        m(batch['inputs'], copy.deepcopy(batch['data_samples']), mode='predict')
        for m in (model, model.student)
    )
    assert all(torch.equal(a.pred_score, b.pred_score) for a, b in zip(ours, student))


def test_the_exported_student_fits_a_plain_classifier(tiny_student, batch):
    model = build(tiny_student).eval()
    plain = MODELS.build(tiny_student).eval()
    plain.load_state_dict(student_weights(model.state_dict()), strict=True)
    assert torch.equal(plain(batch['inputs']).logits, model(batch['inputs']).logits)


@pytest.mark.parametrize(
    ('teachers', 'losses', 'words'),
    [
        ({}, dict(logit=dict(type='LogitKDLoss')), "takes teachers .'main'., got"),
        (dict(main=dict(type='NegatedTeacher')), {}, "takes losses .'logit'., got"),
        (
            dict(main=dict(type='NegatedTeacher'), more=dict(type='NegatedTeacher')),
            dict(logit=dict(type='LogitKDLoss')),
            'more',
        ),
    ],
)
def test_names_are_checked(tiny_student, teachers, losses, words):
    with pytest.raises(ValueError, match=words):
        Both(tiny_student, teachers, losses)


def test_a_term_may_not_hide_one_of_the_students(tiny_student, batch):
    class Hides(Both):
        def distill(self, out, inputs, samples):
            return dict(loss_cls=out.logits.sum())

    with pytest.raises(KeyError, match='loss_cls'):
        Hides(
            tiny_student,
            dict(main=dict(type='NegatedTeacher')),
            dict(logit=dict(type='LogitKDLoss')),
        )(batch['inputs'], batch['data_samples'], mode='loss')


def test_any_method_may_have_a_teacher_that_follows_the_student(tiny_student, batch):
    """JGEKD with an EMA of its own student (a mean teacher): in the checkpoint, moved on demand."""
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='JGEKD',
            student=tiny_student,
            teachers=dict(main=dict(type='EMATeacher', momentum=0.5)),
            losses=dict(graph=dict(type='JointGraphEntropyLoss')),
        )
    ).train()
    model.init_weights()
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    sum(v for k, v in losses.items() if k.startswith('loss_')).backward()
    assert all(p.grad is None for p in model.teachers.parameters())
    weight, copy = model.student.head.fc.weight, model.teachers['main'].model.head.fc.weight
    before = weight.detach().clone()
    with torch.no_grad():
        weight += 1
    model.update_followers()
    torch.testing.assert_close(copy, before + 0.5)
    assert 'teachers.main.model.head.fc.weight' in model.state_dict()
