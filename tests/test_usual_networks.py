"""The networks as usually implemented (benchmarks/peer_models) and ours compute the same.

They are a second implementation, written apart from the first; those with the keys of a published
state dict show that such a file, converted, gives the published network's logits.
"""

import importlib
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pcdet_kd.apis import list_models, model_infos
from pcdet_kd.apis.official_archs import OFFICIAL

KEYS = Path(__file__).parent / 'data' / 'official_keys'
sys.path.append(str(Path(__file__).parents[1] / 'benchmarks'))
peer_models, inputs = importlib.import_module('peer_models'), importlib.import_module('inputs')
sys.path.pop()


def pair(name, official=False):
    """Ours and the usual form, tiny, in float64 (BatchNorm over few clouds magnifies float32's
    rounding), no dropout.
    """
    torch.manual_seed(0)
    ours, usual = (
        model.double() for model in peer_models.build(name, tiny=True, official=official)
    )
    for part in (*ours.modules(), *usual.modules()):
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return ours, usual


def seen(model, batch=4):
    """Clouds or views of the kind that a model takes, and what it is called with."""
    if getattr(model, 'input_key', 'points') == 'views':
        views = torch.randn(batch, 3, 3, 32, 32, dtype=torch.float64)
        return views, dict(views=views)
    clouds = inputs.surface(batch, 64).double()
    clouds[:, 9] *= 0.03 / clouds[:, 9].norm(
        dim=1, keepdim=True
    )  # so near the origin, pointnet2's sampling skips a point
    if getattr(model, 'backbone', model).in_channels == 4:
        clouds = torch.cat([clouds, clouds[..., 1:2] - clouds[..., 1].amin(1)[:, None, None]], 2)
    return clouds, dict(points=clouds)


def outputs(ours, usual):
    """Of both: logits, or an encoder's global feature."""
    clouds, packed = seen(ours)
    out = ours(packed).logits if hasattr(ours, 'head') else ours(clouds).global_feat
    return out, usual(clouds)


def shake(usual):
    """Weights of norms and running statistics that differ from the first ones, where an error would
    not show.
    """
    with torch.no_grad():
        for part in usual.modules():
            if isinstance(part, (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.RMSNorm)):
                part.weight.uniform_(0.5, 1.5)
                if hasattr(part, 'bias'):
                    part.bias.normal_(0, 0.1)
                if hasattr(part, 'running_mean'):
                    part.running_mean.normal_(0, 0.1)
                    part.running_var.uniform_(0.5, 1.5)


def test_all_networks_have_a_usual_form():
    infos = model_infos()
    zoo = {
        name.removesuffix('_modelnet40')
        for name in list_models('*_modelnet40')
        if infos[name].family == 'Baselines'
    }
    assert set(peer_models.USUAL) == zoo
    pretraining = {arch for arch in OFFICIAL if arch.startswith('asymdsd_pretrain')}
    others = {
        'pointcmt_generator'
    } | pretraining  # one matrix; tests/test_distillers/test_asymdsd.py
    assert set(peer_models.OFFICIAL) == set(OFFICIAL) - others


@pytest.mark.parametrize('name', peer_models.USUAL)
def test_equal_in_training(name):
    """Outputs, gradients and running statistics, so that the times of the benchmarks are those of
    the same computation.
    """
    ours, usual = pair(name)
    a, b = outputs(ours, usual)
    assert torch.allclose(a, b, atol=1e-8)
    # gradients in our names: the usual form's take the place of its weights and are carried over as
    # those are
    a.square().mean().backward()
    b.square().mean().backward()
    with torch.no_grad():
        for p in usual.parameters():
            p.copy_(p.grad if p.grad is not None else torch.zeros_like(p))
    copied, buffers = pair(name)[0], dict(ours.named_buffers())
    peer_models.carry_over(
        peer_models.USUAL[name], usual, copied, peer_models.config_of(name, tiny=True)
    )
    for key, p in copied.named_parameters():
        ours_grad = ours.get_parameter(key).grad
        assert torch.allclose(
            p, torch.zeros_like(p) if ours_grad is None else ours_grad, atol=1e-8
        ), key
    for key, value in copied.named_buffers():
        assert torch.allclose(value, buffers[key], atol=1e-8), key


@pytest.mark.parametrize('name', peer_models.USUAL)
def test_equal_in_evaluation(name):
    ours, usual = pair(name)
    shake(usual)
    peer_models.carry_over(
        peer_models.USUAL[name], usual, ours, peer_models.config_of(name, tiny=True)
    )
    assert torch.allclose(*outputs(ours.eval(), usual.eval()), atol=1e-8)


@pytest.mark.parametrize('name', peer_models.USUAL)
def test_equal_at_full_size(name):
    """The published radii, neighbours, points and rates: a tiny network is told its own."""
    torch.manual_seed(0)
    ours, usual = (model.double().eval() for model in peer_models.build(name))
    clouds = inputs.surface(1, 1024).double()
    with torch.no_grad():
        assert torch.allclose(ours(dict(points=clouds)).logits, usual(clouds), rtol=0, atol=1e-12)
    for field, kind in (('p', 'Dropout'), ('rate', 'DropPath')):
        rates = [
            sorted(
                getattr(part, field)
                for part in model.modules()
                if type(part).__name__ == kind and getattr(part, field)
            )
            for model in (ours, usual)
        ]
        assert rates[0] == pytest.approx(rates[1]), kind


@pytest.mark.parametrize('arch', peer_models.OFFICIAL)
def test_a_converted_file_gives_the_published_logits(arch):
    ours, usual = pair(arch, official=True)
    shake(usual)
    peer_models.carry_over(
        peer_models.OFFICIAL[arch],
        usual,
        ours,
        peer_models.config_of(arch, tiny=True, official=True),
    )
    a, b = outputs(ours.eval(), usual.eval())
    assert a.std() > 1e-3 and torch.allclose(a, b, atol=1e-8)


@pytest.mark.parametrize('arch', peer_models.OFFICIAL)
def test_its_keys_are_the_published_ones(arch):
    entry = peer_models.OFFICIAL[arch]
    with torch.device('meta'):
        weights = entry.network(**entry.settings).state_dict()
    found = {key: 'x'.join(map(str, value.shape)) or 'scalar' for key, value in weights.items()}
    lines = (KEYS / f'{arch}.txt').read_text().splitlines()
    assert found == dict(line.split() for line in lines if not line.startswith('#'))


def test_curvenet_as_released(monkeypatch):
    entry = peer_models.USUAL['curvenet']
    monkeypatch.setitem(
        peer_models.USUAL,
        'curvenet',
        entry._replace(settings=dict(released=True), ours=dict(entry.ours, momentum='released')),
    )
    test_equal_in_evaluation('curvenet')


@pytest.mark.parametrize('training', [True, False])
def test_rscnn_on_a_cloud_with_repeated_points(training):
    """As dropped points and drawing with replacement leave it; the balls of the other networks take
    copies as points.
    """
    draw = torch.Generator().manual_seed(0)
    clouds = torch.stack(
        [
            cloud[torch.randint(100, (200,), generator=draw)]
            for cloud in inputs.surface(4, 100).double()
        ]
    )
    ours, usual = (model.train(training) for model in pair('rscnn'))
    assert torch.allclose(ours(dict(points=clouds)).logits, usual(clouds), rtol=0, atol=1e-12)
