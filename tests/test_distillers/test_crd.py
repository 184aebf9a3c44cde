import pytest
import torch


def test_both_directions_against_the_memory(build_method, terms, batch):
    torch.manual_seed(0)
    model = build_method('crd').eval()
    memory = model.helpers['memory']
    banks = memory.student.double().clone(), memory.teacher.double().clone()
    found = terms(model)
    feats = model.student(batch['inputs']).feat, model.teachers['main'](batch['inputs'], []).feat
    embeddings = []
    for name, feat in zip(('student', 'teacher'), feats):
        layer = model.helpers[name].layers[0].linear
        out = feat.double() @ layer.weight.t().double() + layer.bias.double()
        embeddings.append(out / out.norm(dim=1, keepdim=True))
    memory.labels.fill_(-1)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    memory.labels[:] = labels
    drawn = memory._draw(torch.arange(6), labels)
    for name, own, bank in zip(('student', 'teacher'), embeddings, banks[::-1]):
        chosen = torch.cat([torch.arange(6)[:, None], drawn], dim=1)
        raw = ((own @ bank.t()).gather(1, chosen) / 0.07).exp()
        p, noise = raw / (raw.mean() * 6), 5 / 6  # K / N
        expected = -(p[:, 0] / (p[:, 0] + noise)).log()
        expected = expected - (noise / (p[:, 1:] + noise)).log().sum(1)
        torch.testing.assert_close(
            found[f'loss_contrast_{name}'].double(), 0.8 * expected.mean(), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    ('name', 'change', 'words'),
    [
        ('student', dict(in_channels=12), 'helpers.student.in_channels is 12, expected 16'),
        ('teacher', dict(in_channels=16), 'helpers.teacher.in_channels is 16, expected 12'),
        ('memory', dict(channels=9), 'helpers.student.out_channels is 8, expected 9'),
    ],
)
def test_widths_that_do_not_fit_are_named_when_it_is_built(name, change, words, build_method):
    helpers = dict(build_method.methods['crd']['helpers'])
    helpers[name] = dict(helpers[name], **change)
    with pytest.raises(ValueError, match=words):
        build_method('crd', helpers=helpers)
