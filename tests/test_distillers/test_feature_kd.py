import pytest
import torch


@pytest.mark.parametrize('name', ['fitnet', 'normalize1', 'normalize2', 'vid'])
def test_the_connected_feature_meets_the_teachers(name, build_method, terms, batch):
    model = build_method(name).eval()
    feat, teacher = model.student(batch['inputs']).feat, model.teachers['main'](batch['inputs'], [])
    layer = model.helpers['connector'].layers[0].linear
    connected = feat.double() @ layer.weight.t().double() + layer.bias.double()
    taught = teacher.feat.double()
    if name == 'vid':
        variance = model.losses['feature'].variance.double()
        expected = ((connected - taught) ** 2 / variance + variance.log()).mean() / 2
    else:
        if name == 'normalize1':
            (of, at), (to, there) = (torch.std_mean(f, dim=0) for f in (taught, connected))
            taught = (taught - at) / of * to + there
        elif name == 'normalize2':
            taught = taught * connected.norm(dim=1).mean() / taught.norm(dim=1).mean()
        expected = ((connected - taught) ** 2).mean()
    torch.testing.assert_close(terms(model), dict(loss_feature=expected.float()))


@pytest.mark.parametrize('name', ['rkd', 'sp', 'pkt'])
def test_relations_need_no_connector(name, build_method, terms, batch):
    model = build_method(name).eval()
    feat, teacher = model.student(batch['inputs']).feat, model.teachers['main'](batch['inputs'], [])
    expected = model.losses['feature'](student_feat=feat, teacher_feat=teacher.feat)
    torch.testing.assert_close(terms(model), dict(loss_feature=expected))


def test_the_learned_variance_is_in_the_checkpoint_and_the_optimiser(build_method):
    model = build_method('vid')
    assert 'losses.feature.raw_variance' in dict(model.named_parameters())
    assert 'losses.feature.raw_variance' in model.state_dict()


@pytest.mark.parametrize(
    ('name', 'changes', 'words'),
    [
        (
            'fitnet',
            dict(helpers={}),
            "feature has 16 channels, the teacher's 12, and FeatureMSELoss needs one width: "
            r".*type='Connector', in_channels=16, out_channels=12",
        ),
        (
            'fitnet',
            dict(helpers=dict(connector=dict(type='Connector', in_channels=8, out_channels=12))),
            'helpers.connector.in_channels is 8, expected 16',
        ),
        (
            'vid',
            dict(helpers=dict(connector=dict(type='Connector', in_channels=16, out_channels=13))),
            'helpers.connector.out_channels is 13, expected 12',
        ),
        (
            'vid',
            dict(losses=dict(feature=dict(type='VariationalLoss', channels=11))),
            'losses.feature.channels is 11, expected 12',
        ),
        ('rkd', dict(helpers=dict(adapter=dict(type='Connector'))), 'takes helpers'),
    ],
)
def test_widths_that_do_not_fit_are_named_when_it_is_built(name, changes, words, build_method):
    with pytest.raises(ValueError, match=words):
        build_method(name, **changes)


def test_relations_of_connected_features(build_method, terms):
    """A connector may go to any width, if the loss does not care."""
    helpers = dict(connector=dict(type='Connector', in_channels=16, out_channels=5))
    assert torch.isfinite(terms(build_method('rkd', helpers=helpers))['loss_feature'])
