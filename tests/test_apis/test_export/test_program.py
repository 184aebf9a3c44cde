import pytest
import torch

from pcdet_kd.apis import init_model
from pcdet_kd.apis.export.description import ExportError
from pcdet_kd.apis.export.program import Deployed, example, trace
from pcdet_kd.registry import MODELS


def test_a_classifier_becomes_a_function_of_a_tensor(deployed):
    points = example(deployed, 3, 24)
    logits, feature = deployed(points)
    out = deployed.model(dict(points=points))
    assert torch.equal(logits, out.logits) and torch.equal(feature, out.feat)
    assert logits.shape == (3, 5) and feature.shape == (3, 6) and not deployed.model.training


def test_the_batch_is_free_and_the_ops_are_kept(deployed, program):
    assert any('pcdet_kd' in str(node.target) for node in program.graph.nodes)
    for size in (1, 7):
        points = example(deployed, size, 24)
        for one, other in zip(program.module()(points), deployed(points)):
            torch.testing.assert_close(one, other)


def test_views_are_the_inputs_of_an_image_model():
    backbone = dict(type='MultiViewResNet', base_width=2, small_input=True)
    head = dict(type='MLPHead', num_classes=5, hidden_channels=())
    config = dict(type='PointClassifier', backbone=backbone, head=head, input_key='views')
    views = example(Deployed(MODELS.build(config)), 2, 1, image_size=16, num_views=3)
    assert views.shape == (2, 3, 3, 16, 16)
    assert 0 <= views.min() < 0.1 and 0.9 < views.max() <= 1  # as image networks take them


def test_what_is_no_classifier_or_cannot_be_followed_is_told():
    with pytest.raises(ExportError, match='expected a classifier'):
        Deployed(init_model('asymdsd_pretrain_tiny_modelnet40'))

    class Looks(torch.nn.Module):
        out_channels = 3

        def forward(self, points):
            return points.sum(1) if points.sum() > 0 else points.mean(1)

    head = dict(type='MLPHead', num_classes=5, hidden_channels=())
    config = dict(type='WrappedModule', module='torch.nn:Identity', out_channels=3)
    model = MODELS.build(dict(type='PointClassifier', backbone=config, head=head))
    model.backbone.net = Looks()
    with pytest.raises(ExportError, match='WrappedModule cannot be exported'):
        trace(Deployed(model), torch.randn(2, 8, 3))
