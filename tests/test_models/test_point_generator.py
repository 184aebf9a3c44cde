import pytest
import torch
from torch import nn

from pcdet_kd.models import PointGenerator
from pcdet_kd.ops import earth_mover_distance
from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import ModelOutput


@TEACHERS.register_module(force=True)
class FirstPointTeacher(nn.Module):
    """Its feature is the first points' coordinates."""

    def forward(self, inputs, data_samples):
        return ModelOutput(None, inputs['points'][:, :4, 0])


def count(model):
    return sum(p.numel() for p in model.parameters())


def test_the_released_form_has_the_published_size():
    # PointCMT's released code: Dropout(0.5), Linear(512, 3072, bias=False).
    generator = PointGenerator(512, 1024, preset='released')
    assert count(generator) == 1_572_864
    assert [type(m).__name__ for m in generator.decoder] == ['Dropout', 'Linear']


def test_the_paper_form_has_three_layers_and_arguments_override_it():
    generator = PointGenerator(512, 1024, preset='paper')
    assert [type(m).__name__ for m in generator.decoder] == [
        'Linear',
        'ReLU',
        'Linear',
        'ReLU',
        'Linear',
    ]
    assert all(m.bias is not None for m in generator.decoder if isinstance(m, nn.Linear))
    assert (
        count(PointGenerator(4, 2, preset='paper', hidden_channels=(3,), bias=False))
        == 4 * 3 + 3 * 6
    )


def test_the_released_form_sees_only_the_direction_of_the_feature():
    generator = PointGenerator(4, 8).eval()
    feature = torch.randn(2, 4)
    torch.testing.assert_close(generator.decode(3 * feature), 3 * generator.decode(feature))


def test_modes(batch):
    generator = PointGenerator(
        4, 16, teacher=dict(type='FirstPointTeacher'), loss=dict(type='EarthMoverLoss')
    ).eval()
    points = generator(batch['inputs'], batch['data_samples'])
    assert points.shape == (6, 16, 3)
    distance = earth_mover_distance(points, batch['inputs']['points'])
    losses = generator(batch['inputs'], batch['data_samples'], mode='loss')
    torch.testing.assert_close(losses['loss_emd'], distance.mean())
    samples = generator(batch['inputs'], batch['data_samples'], mode='predict')
    torch.testing.assert_close(torch.cat([s.emd for s in samples]), distance)


def test_it_is_judged_in_the_losss_own_frame(batch):
    loss = dict(type='EarthMoverLoss', normalize='centred')
    generator = PointGenerator(4, 16, teacher=dict(type='FirstPointTeacher'), loss=loss).eval()
    before = [
        s.emd.clone() for s in generator(batch['inputs'], batch['data_samples'], mode='predict')
    ]
    generator.decoder[1].weight.data *= 10
    after = [s.emd for s in generator(batch['inputs'], batch['data_samples'], mode='predict')]
    torch.testing.assert_close(torch.cat(before), torch.cat(after))


@pytest.mark.parametrize(
    ('arguments', 'mode', 'words'),
    [
        (dict(), 'tensor', 'no teacher'),
        (dict(teacher=dict(type='FirstPointTeacher')), 'loss', 'no loss'),
        (
            dict(in_channels=5, teacher=dict(type='FirstPointTeacher')),
            'tensor',
            'features of 5 channels',
        ),
    ],
)
def test_what_is_missing_is_named(batch, arguments, mode, words):
    with pytest.raises(ValueError, match=words):
        PointGenerator(**{'in_channels': 4, 'num_points': 16, **arguments})(
            batch['inputs'], batch['data_samples'], mode
        )


def test_an_unknown_preset_is_an_error():
    with pytest.raises(ValueError, match='must be one of'):
        PointGenerator(preset='code')
