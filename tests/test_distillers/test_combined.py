import copy

import pytest
import torch
from torch import nn

from pcdet_kd.distillers import JGEKD, Combined, LogitKD, PointCMT
from pcdet_kd.engine.hooks.frozen_guard import frozen_teachers
from pcdet_kd.models import PointGenerator
from pcdet_kd.registry import MODELS, TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Teacher
from pcdet_kd.utils.student import student_weights


@TEACHERS.register_module(force=True)
class Counting(Teacher):
    """Fixed outputs; counts how often it is asked."""

    asked = 0

    def forward(self, inputs, data_samples):
        type(self).asked += 1
        points = inputs['points']
        return ModelOutput(-points.mean(1), points.flatten(1)[:, :16])

    def weights_hash(self):
        return 'same'


@MODELS.register_module(force=True)
class SmallGenerator(nn.Module):
    """A generator with fixed weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.net = PointGenerator(16, 16).eval().requires_grad_(False)

    def decode(self, feature):
        return self.net.decode(feature)

    def weights_hash(self):
        return 'same'


GRAPH = dict(type='JointGraphEntropyLoss', loss_weight=0.5)
LOGIT = dict(type='LogitKDLoss', loss_weight=2.0)
CMT = dict(type='PointCMT', helpers=dict(generator=dict(type='SmallGenerator')))


def methods(teacher='main', graph=GRAPH, logit=LOGIT):
    return dict(
        jgekd=dict(type='JGEKD', teachers=dict(main=teacher), losses=dict(graph=graph)),
        hinton=dict(type='LogitKD', teachers=dict(main=teacher), losses=dict(logit=logit)),
        cmt=dict(CMT, teachers=dict(image=teacher)),
    )


def build(student, chosen, teachers=(('main', dict(type='Counting')),)):
    torch.manual_seed(0)
    return Combined(student, chosen, dict(teachers)).eval()


def losses(model, batch):
    return model(batch['inputs'], batch['data_samples'], mode='loss')


def test_terms_are_those_of_each_method_by_itself(tiny_student, batch):
    model = build(tiny_student, methods())
    Counting.asked = 0
    passes = []
    model.student.backbone.register_forward_hook(lambda *_: passes.append(1))
    found = losses(model, batch)
    assert Counting.asked == 1 and len(passes) == 1
    assert sorted(found) == [
        'loss_cls',
        'loss_cmt_classifier',
        'loss_cmt_feature',
        'loss_hinton_logit',
        'loss_jgekd_graph',
        'stat_hinton_agreement',
        'stat_jgekd_agreement',
    ]
    alone = {
        'jgekd_graph': JGEKD(tiny_student, dict(main=dict(type='Counting')), dict(graph=GRAPH)),
        'hinton_logit': LogitKD(tiny_student, dict(main=dict(type='Counting')), dict(logit=LOGIT)),
        'cmt_feature': PointCMT(
            tiny_student,
            dict(image=dict(type='Counting')),
            dict(generator=CMT['helpers']['generator']),
        ),
    }
    for name, single in alone.items():
        single.student.load_state_dict(model.student.state_dict())
        expected = losses(single.eval(), batch)[f'loss_{name.split("_")[1]}']
        torch.testing.assert_close(found[f'loss_{name}'], expected)
    found = losses(model, dict(batch, inputs=dict(points=batch['inputs']['points'] + 1)))
    assert Counting.asked > 1  # nothing of the last batch is kept


def test_a_method_of_its_own_views_leads_and_others_see_the_clean_one(tiny_student, batch):
    generator = torch.Generator().manual_seed(1)
    batch['inputs']['points_2'] = torch.randn(6, 16, 3, generator=generator)
    chosen = dict(
        self=dict(type='JGEKD', losses=dict(graph=GRAPH)),
        hinton=dict(type='LogitKD', teachers=dict(main='main'), losses=dict(logit=LOGIT)),
    )
    model = build(tiny_student, chosen)
    found = losses(model, batch)
    single = JGEKD(tiny_student, losses=dict(graph=GRAPH)).eval()
    single.student.load_state_dict(model.student.state_dict())
    expected = losses(single, batch)
    torch.testing.assert_close(found['loss_cls'], expected['loss_cls'])
    torch.testing.assert_close(found['loss_self_graph'], expected['loss_graph'])
    plain = LogitKD(tiny_student, dict(main=dict(type='Counting')), dict(logit=LOGIT)).eval()
    plain.student.load_state_dict(model.student.state_dict())
    torch.testing.assert_close(found['loss_hinton_logit'], losses(plain, batch)['loss_logit'])


def test_all_weights_zero_is_plain_training_bit_for_bit(tiny_student, batch):
    zero = dict(
        methods(graph=dict(GRAPH, loss_weight=0.0), logit=dict(LOGIT, loss_weight=0.0)),
        cmt=dict(
            CMT,
            teachers=dict(image='main'),
            losses=dict(feature=dict(loss_weight=0.0), classifier=dict(loss_weight=0.0)),
        ),
    )
    trained = []
    for make in (lambda: MODELS.build(tiny_student), lambda: build(tiny_student, zero)):
        torch.manual_seed(0)
        model = make().train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            total = losses(model, batch)
            sum(v for k, v in total.items() if k.startswith('loss')).backward()
            optimizer.step()
        trained.append(getattr(model, 'student', model).state_dict())
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])


def test_one_student_in_checkpoints_and_copies(tiny_student, batch):
    model = build(tiny_student, methods())
    state = model.state_dict()
    assert not any('student' in key for key in state if not key.startswith('student.'))
    assert student_weights(state).keys() == MODELS.build(tiny_student).state_dict().keys()
    twin = copy.deepcopy(model)
    with torch.no_grad():
        for weight in twin.student.parameters():
            weight.mul_(1.5)
    assert not torch.equal(
        losses(twin, batch)['loss_jgekd_graph'], losses(model, batch)['loss_jgekd_graph']
    )
    assert twin.methods['jgekd'].student is twin.student
    assert sorted(frozen_teachers(model)) == ['cmt.generator', 'main']


def test_averages_of_the_student_follow(tiny_student, batch):
    chosen = dict(
        own=dict(
            type='LogitKD',
            teachers=dict(main=dict(type='EMATeacher', momentum=0.5)),
            losses=dict(logit=LOGIT),
        ),
        shared=dict(type='LogitKD', teachers=dict(main='ema'), losses=dict(logit=LOGIT)),
    )
    model = build(tiny_student, chosen, [('ema', dict(type='EMATeacher', momentum=0.25))])
    before = model.student.head.fc.weight.detach().clone()
    with torch.no_grad():
        model.student.head.fc.weight.add_(1.0)
    model.update_followers()
    for teacher, moved in (
        (model.teachers['ema'], 0.75),
        (model.methods['own'].teachers['main'], 0.5),
    ):
        torch.testing.assert_close(teacher.model.head.fc.weight, before + moved)


def test_what_cannot_be_combined_is_told(tiny_student):
    for chosen, message in (
        ({}, 'methods is empty'),
        (methods('mian'), "names the teacher 'mian', there is main.*Did you mean 'main'"),
        (dict(a=dict(type='JGEKD', losses=dict(graph=GRAPH))), 'no method uses the teacher main'),
        (
            dict(
                methods(),
                a=dict(type='JGEKD', losses=dict(graph=GRAPH)),
                b=dict(type='JGEKD', losses=dict(graph=GRAPH)),
            ),
            'a and b each run the student in their own way',
        ),
    ):
        with pytest.raises(ValueError, match=message):
            build(tiny_student, chosen)


def test_widths_of_shared_teachers_are_checked_too(tiny_student):
    method = dict(
        type='FeatureKD',
        teachers=dict(main='main'),
        losses=dict(feature=dict(type='FeatureMSELoss')),
    )
    with pytest.raises(ValueError, match='16 channels, the teacher.s 12, and FeatureMSELoss needs'):
        Combined(tiny_student, dict(fit=method), dict(main=dict(type='AllKnowing')))


def test_pixels_of_shared_teachers_are_no_points_either(tiny_student, monkeypatch, build_method):
    teacher = type(build_method('sp').teachers['main'])
    monkeypatch.setattr(teacher, 'input_key', 'views', raising=False)
    method = dict(build_method.methods['attention'], teachers=dict(main='main'))
    with pytest.raises(ValueError, match="the teacher at 'views'"):
        Combined(tiny_student, dict(at=method), dict(main=dict(type='AllKnowing')))


def test_every_new_method_combines(build_method, tiny_student, batch):
    """All at once, on one teacher: the terms are those of each method by itself."""
    chosen = {
        name: dict(cfg, teachers=dict(main='main')) for name, cfg in build_method.methods.items()
    }
    torch.manual_seed(0)
    model = Combined(tiny_student, chosen, dict(main=dict(type='AllKnowing'))).eval()
    build_method.ready(model)
    found = losses(model, batch)
    for name in chosen:
        single = build_method(name).eval()
        single.student.load_state_dict(model.student.state_dict())
        for part in ('helpers', 'losses'):
            ours, theirs = getattr(single, part), getattr(model.methods[name], part)
            ours.load_state_dict(theirs.state_dict())
            for key, helper in theirs.items():
                if hasattr(helper, '_held'):
                    ours[key].model.load_state_dict(helper.model.state_dict())
        if name == 'crd':
            model.methods.crd.helpers['memory'].log_z.fill_(torch.nan)
            single.helpers['memory'].log_z.fill_(torch.nan)
        for key, value in losses(single, batch).items():
            if key.startswith('loss_') and key != 'loss_cls':
                torch.testing.assert_close(found[f'loss_{name}_{key[5:]}'], value)
