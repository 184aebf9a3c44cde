import pytest
import torch
from torch import nn

from pcdet_kd.models import FactorAutoEncoder, FactorEncoder
from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers import Teacher


@TEACHERS.register_module(force=True)
class TwoPlaces(Teacher):
    """Its feature lies on a plane in eight dimensions."""

    feat_channels = 8

    def forward(self, inputs, data_samples):
        where = inputs['points'][:, 0, :2]
        directions = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
        return ModelOutput(None, (where @ directions).abs())


def test_the_layers_are_those_of_the_paper():
    """Encoder c, c/2, c/2; the decoder mirrors it; no bias, BatchNorm, LeakyReLU(0.1)."""
    net = FactorAutoEncoder(512)
    linear = [m for m in net.modules() if isinstance(m, nn.Linear)]
    widths = [(m.in_features, m.out_features) for m in linear]
    assert widths[:3] == [(512, 512), (512, 256), (256, 256)]
    assert widths[3:] == [(256, 256), (256, 512), (512, 512)]
    assert all(m.bias is None for m in linear)
    assert [type(m).__name__ for m in net.encoder.layers[:3]] == [
        'Linear',
        'BatchNorm1d',
        'LeakyReLU',
    ]
    assert {m.negative_slope for m in net.modules() if isinstance(m, nn.LeakyReLU)} == {0.1}
    assert FactorEncoder(6, 4)(torch.randn(3, 6)).shape == (3, 4)


def test_it_learns_to_give_the_feature_back(batch):
    torch.manual_seed(0)
    net = FactorAutoEncoder(8, teacher=dict(type='TwoPlaces')).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

    def loss():
        return net(batch['inputs'], batch['data_samples'], mode='loss')['loss_l1']

    first = loss().item()
    for _ in range(100):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.5 * first


def test_modes(batch):
    net = FactorAutoEncoder(8, teacher=dict(type='TwoPlaces')).eval()
    decoded = net(batch['inputs'], batch['data_samples'])
    feature = net.teacher(batch['inputs'], []).feat
    torch.testing.assert_close(decoded, net.decoder(net.encode(feature)))
    errors = (decoded - feature).double().abs().mean(1)
    found = net(batch['inputs'], batch['data_samples'], mode='loss')['loss_l1']
    torch.testing.assert_close(found.double(), errors.mean())
    samples = net(batch['inputs'], batch['data_samples'], mode='predict')
    torch.testing.assert_close(torch.cat([s.l1 for s in samples]).double(), errors)


def test_what_does_not_fit_is_named(batch):
    with pytest.raises(ValueError, match='in_channels is 6, the feature of the teacher has 8'):
        FactorAutoEncoder(6, teacher=dict(type='TwoPlaces'))
    with pytest.raises(ValueError, match='has no teacher'):
        FactorAutoEncoder(6)(batch['inputs'], batch['data_samples'])
