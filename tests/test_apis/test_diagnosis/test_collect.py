import torch

from pcdet_kd.apis.diagnosis.collect import _kept, _observed, teachers_of
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import ModelOutput


def test_layers_become_one_vector_per_sample():
    stages = (torch.arange(24.0).view(2, 3, 4), torch.ones(2, 5), torch.rand(6, 4, 2, 2))
    found = _kept(ModelOutput(None, torch.zeros(2, 7), stages), 2)
    assert {name: tuple(v.shape) for name, v in found.items()} == {
        'stage 1': (2, 3),
        'stage 2': (2, 5),
        'stage 3': (2, 4),
        'feature': (2, 7),
    }
    assert found['stage 1'][0].tolist() == [1.5, 5.5, 9.5]
    torch.testing.assert_close(found['stage 3'][1], stages[2][3:].mean(dim=(0, 2, 3)))


def test_logits_of_other_classes_are_no_scores():
    found = _kept(ModelOutput(torch.zeros(2, 3), torch.zeros(2, 7)), 2)
    assert _observed('t', [found, found], 3).scores.shape == (4, 3)
    assert _observed('t', [found], 5).scores is None


def test_teachers_that_methods_share_are_found_once(tiny_student, tmp_path):
    frozen = dict(type='FrozenTeacher', model=tiny_student, checkpoint=str(tmp_path / 'x.pth'))
    logit = dict(type='LogitKD', losses=dict(logit=dict(type='LogitKDLoss')))
    model = MODELS.build(
        dict(
            type='Combined',
            student=tiny_student,
            teachers=dict(big=frozen),
            methods=dict(
                one=dict(logit, teachers=dict(main='big')),
                two=dict(logit, teachers=dict(main=frozen)),
            ),
        )
    )
    assert list(teachers_of(model)) == ['big', 'two.main']
