from types import SimpleNamespace

import pytest
import torch

from pcdet_kd.distillers.fit import check_width, feature_width, logits_of
from pcdet_kd.structures import ModelOutput


def test_the_width_of_students_and_teachers():
    assert feature_width(SimpleNamespace(feat_channels=3)) == 3
    assert feature_width(SimpleNamespace(head=SimpleNamespace(feat_channels=4))) == 4
    assert feature_width(SimpleNamespace()) is None


def test_widths_that_are_known_must_be_the_same():
    for width, needed in ((3, 3), (None, 3), (3, None)):
        check_width(None, 'part', width, 'that', needed)
    with pytest.raises(ValueError, match='list: part is 3, expected 4, the width of that'):
        check_width([], 'part', 3, 'that', 4)


@pytest.mark.parametrize('name', ['hinton', 'dkd', 'srrl'])
def test_a_teacher_without_a_head_is_named(name, build_method, terms, monkeypatch):
    model = build_method(name)
    only_feature = ModelOutput(None, torch.ones(6, 12))
    monkeypatch.setattr(type(model.teachers['main']), 'forward', lambda *_: only_feature)
    with pytest.raises(ValueError, match=f'{type(model).__name__} needs logits.*a teacher with a'):
        terms(model)
    logits = torch.ones(6, 3)
    assert logits_of(model, ModelOutput(logits, logits)) is logits
