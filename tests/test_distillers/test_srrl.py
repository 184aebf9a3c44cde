import pytest
import torch


def test_it_is_the_papers_formula(build_method, terms, batch):
    torch.manual_seed(0)
    model = build_method('srrl').eval()
    found = terms(model)
    feat, teacher = model.student(batch['inputs']).feat, model.teachers['main'](batch['inputs'], [])
    block = model.helpers['connector'].layers[0]
    norm = block.norm
    connected = feat.double() @ block.linear.weight.t().double()
    assert block.linear.bias is None
    scale = (norm.running_var.double() + norm.eps).sqrt()
    connected = ((connected - norm.running_mean) / scale * norm.weight + norm.bias).relu()
    torch.testing.assert_close(
        found['loss_feature'], ((connected - teacher.feat.double()) ** 2).mean().float()
    )
    last = model.helpers['classifier'].model.head.fc
    logits = connected @ last.weight.t().double() + last.bias.double()
    torch.testing.assert_close(
        found['loss_logit'], ((logits - teacher.logits.double()) ** 2).mean().float()
    )


def test_the_gradient_passes_through_the_teachers_classifier(build_method, terms):
    model = build_method('srrl')
    terms(model)['loss_logit'].backward()
    assert model.helpers['connector'].layers[0].linear.weight.grad.abs().sum() > 0
    assert model.student.head.hidden[0].linear.weight.grad.abs().sum() > 0
    assert model.student.head.fc.weight.grad is None
    assert all(p.grad is None for p in model.helpers['classifier'].model.parameters())


@pytest.mark.parametrize(
    ('channels', 'words'),
    [
        ((8, 12), 'connector.in_channels is 8, expected 16'),
        ((16, 9), "connector.out_channels is 9, expected 12, the width of the teacher's feature"),
    ],
)
def test_widths_that_do_not_fit_are_named_when_it_is_built(channels, words, build_method):
    helpers = dict(build_method.methods['srrl']['helpers'])
    helpers['connector'] = dict(zip(('in_channels', 'out_channels'), channels), type='Connector')
    with pytest.raises(ValueError, match=words):
        build_method('srrl', helpers=helpers)


def test_the_classifier_must_be_one_of_such_features(build_method, monkeypatch):
    teacher = type(build_method('srrl').teachers['main'])
    monkeypatch.setattr(teacher, 'feat_channels', None)
    helpers = dict(build_method.methods['srrl']['helpers'])
    helpers['connector'] = dict(type='Connector', in_channels=16, out_channels=9)
    with pytest.raises(ValueError, match='is 9, expected 12, the width of what the classifier'):
        build_method('srrl', helpers=helpers)
