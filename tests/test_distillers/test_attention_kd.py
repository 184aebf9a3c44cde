import pytest
import torch

from pcdet_kd.distillers import Combined
from pcdet_kd.teachers import FeatureBank, FrozenTeacher


def test_it_is_the_papers_formula(build_method, terms, batch):
    model = build_method('attention', stages=((0, 0), (-1, -1))).eval()
    maps = [
        stages[0].double()
        for stages in (
            model.student(batch['inputs']).stages,
            model.teachers['main'](batch['inputs'], []).stages,
        )
    ]
    own, taught = ((m**2).mean(1) for m in maps)
    own, taught = (a / a.norm(dim=1, keepdim=True) for a in (own, taught))
    expected = 1000 * ((own - taught) ** 2).mean()
    torch.testing.assert_close(terms(model), dict(loss_attention=2 * expected.float()))


def test_a_bank_has_no_maps(build_method, tiny_student, monkeypatch):
    monkeypatch.setattr(type(build_method('sp').teachers['main']), 'keeps_stages', False)
    with pytest.raises(ValueError, match="AllKnowing holds no maps.*type='FrozenTeacher'"):
        build_method('attention')
    method = dict(build_method.methods['attention'], teachers=dict(main='main'))
    with pytest.raises(ValueError, match='holds no maps'):
        Combined(tiny_student, dict(at=method), dict(main=dict(type='AllKnowing')))
    assert not FeatureBank.keeps_stages and FrozenTeacher.keeps_stages


def test_pixels_are_not_points(build_method, monkeypatch):
    teacher = type(build_method('sp').teachers['main'])
    monkeypatch.setattr(teacher, 'input_key', 'views', raising=False)
    with pytest.raises(ValueError, match="looks at 'points', the teacher at 'views'"):
        build_method('attention')
    monkeypatch.setattr(teacher, 'input_key', 'points')
    build_method('attention')


def test_a_stage_that_is_not_there(build_method, terms):
    with pytest.raises(ValueError, match='the student has 1 stages, none is 1'):
        terms(build_method('attention', stages=((1, 0),)))
    with pytest.raises(ValueError, match='the teacher has 1 stages, none is -2'):
        terms(build_method('attention', stages=((0, -2),)))
