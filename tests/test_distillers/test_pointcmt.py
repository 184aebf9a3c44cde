import pytest
import torch
from torch import nn

from pcdet_kd.distillers import PointCMT
from pcdet_kd.distillers.pointcmt import PRESETS
from pcdet_kd.models import PointGenerator
from pcdet_kd.ops import earth_mover_distance
from pcdet_kd.registry import MODELS, TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Teacher


@TEACHERS.register_module(force=True)
class ImageFeatures(Teacher):
    """A constant feature per sample, as a bank's."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.width = width

    def forward(self, inputs, data_samples):
        generator = torch.Generator().manual_seed(9)
        return ModelOutput(None, torch.rand(len(data_samples), self.width, generator=generator))


@MODELS.register_module(force=True)
class FixedGenerator(nn.Module):
    """A generator with fixed weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.net = PointGenerator(16, 16).eval().requires_grad_(False)

    def decode(self, feature):
        return self.net.decode(feature)


def build(student, width=16, helpers=True, **kwargs):
    return PointCMT(
        student,
        dict(image=dict(type='ImageFeatures', width=width)),
        dict(generator=dict(type='FixedGenerator')) if helpers else None,
        **kwargs,
    ).eval()


def terms(model, batch):
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    return {name: value for name, value in losses.items() if name != 'loss_cls'}


def test_both_terms_against_the_papers_formulas(tiny_student, batch):
    model = build(tiny_student, preset='paper')
    out = model.student(batch['inputs'])
    image = model.teachers['image']({}, batch['data_samples']).feat
    found = terms(model, batch)
    generator = model.helpers['generator']
    emd = earth_mover_distance(
        generator.decode(out.feat), generator.decode(image), reduction='sum'
    ).mean()
    torch.testing.assert_close(found['loss_feature'], 30 * emd, rtol=1e-4, atol=1e-4)
    p, q = (model.student.head.classify(f).double().softmax(1) for f in (image, out.feat))
    expected = 0.3 * (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(found['loss_classifier'].double(), expected, rtol=1e-5, atol=1e-7)


def test_the_released_kl_sums_over_the_batch(tiny_student, batch):
    torch.manual_seed(0)
    paper = build(tiny_student, preset='paper')
    released = build(tiny_student, preset='released')
    released.student.load_state_dict(paper.student.state_dict())
    ratio = terms(released, batch)['loss_classifier'] / terms(paper, batch)['loss_classifier']
    torch.testing.assert_close(ratio, torch.tensor(6.0))  # the batch size


@pytest.mark.parametrize(('preset', 'reaches_encoder'), [('paper', False), ('released', True)])
def test_where_the_classifier_terms_gradient_goes(tiny_student, batch, preset, reaches_encoder):
    model = build(tiny_student, preset=preset)
    terms(model, batch)['loss_classifier'].backward()
    assert model.student.head.fc.weight.grad.abs().sum() > 0
    encoder = [
        p.grad.abs().sum() for p in model.student.backbone.parameters() if p.grad is not None
    ]
    assert bool(sum(encoder) > 0) is reaches_encoder


def test_the_feature_term_trains_the_encoder_and_not_the_generator(tiny_student, batch):
    model = build(tiny_student)
    terms(model, batch)['loss_feature'].backward()
    assert all(p.grad is not None for p in model.student.backbone.parameters())
    assert all(p.grad is None for p in model.helpers.parameters())
    assert model.student.head.fc.weight.grad is None


@pytest.mark.parametrize(
    ('switches', 'names'),
    [
        (dict(feature_enhancement=False, helpers=False), {'loss_classifier'}),
        (dict(feature_enhancement=False), {'loss_classifier'}),
        (dict(classifier_enhancement=False), {'loss_feature'}),
        (dict(), {'loss_classifier', 'loss_feature'}),
    ],
)
def test_each_enhancement_alone(tiny_student, batch, switches, names):
    assert set(terms(build(tiny_student, **switches), batch)) == names


def test_losses_override_the_preset(tiny_student):
    losses = dict(feature=dict(loss_weight=7.0), classifier=dict(type='LogitKDLoss'))
    model = build(tiny_student, preset='released', losses=losses)
    assert (
        model.losses['feature'].loss_weight == 7 and model.losses['feature'].normalize == 'released'
    )
    assert (
        model.losses['classifier'].temperature == 4.0
    )  # the class's own default: the preset's config was replaced


def test_the_presets_are_the_published_values():
    # Yan et al., NeurIPS 2022, equations 5 to 8 (alpha 30, beta 0.3), and the released code's call
    # of its EMD module.
    for preset in PRESETS.values():
        assert (preset['feature']['loss_weight'], preset['classifier']['loss_weight']) == (30, 0.3)
    assert (
        PRESETS['released']['feature']['eps'],
        PRESETS['released']['feature']['iterations'],
    ) == (0.05, 3000)


def test_features_of_different_width_are_an_error(tiny_student, batch):
    with pytest.raises(ValueError, match=r'\(6, 16\).*\(6, 8\).*one width'):
        terms(build(tiny_student, width=8), batch)


def test_mistakes_in_names(tiny_student):
    with pytest.raises(ValueError, match='must be one of'):
        build(tiny_student, preset='code')
    with pytest.raises(ValueError, match='takes losses'):
        build(tiny_student, losses=dict(features=dict(loss_weight=1.0)))
    with pytest.raises(ValueError, match='takes helpers'):
        build(tiny_student, helpers=False)
