"""The classification head."""

import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.heads import MLPHead
from pcdet_kd.structures import PointDataSample


def samples(*labels):
    return [
        PointDataSample(metainfo=dict(sample_id=f's{i}')).set_gt_label(label)
        for i, label in enumerate(labels)
    ]


def test_forward_is_classify_of_feature():
    head = MLPHead(5, 8, hidden_channels=(7, 6)).eval()
    x = torch.randn(3, 8)
    assert head.feat_channels == 6 and head.feature(x).shape == (3, 6)
    torch.testing.assert_close(head(x), head.classify(head.feature(x)))
    torch.testing.assert_close(
        head.classify(head.feature(x)), head.feature(x) @ head.fc.weight.T + head.fc.bias
    )


def test_feature_is_what_the_last_layer_sees():
    head = MLPHead(5, 8, hidden_channels=(400,), dropout=0.5)
    seen = []
    head.fc.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    torch.manual_seed(0)
    head(torch.randn(4, 8))
    assert (seen[0] == 0).all(0).any(), 'dropout acts before it'
    assert (seen[0] >= 0).all()


def test_without_hidden_layers_the_feature_is_the_backbones():
    head = MLPHead(5, 8, hidden_channels=())
    x = torch.randn(3, 8)
    assert head.feature(x) is x and head.feat_channels == 8
    assert [name for name, _ in head.named_parameters()] == ['fc.weight', 'fc.bias']


def test_without_bias_in_the_last_layer():
    assert [
        name for name, _ in MLPHead(5, 8, hidden_channels=(), last_bias=False).named_parameters()
    ] == ['fc.weight']


def test_a_foreign_feature_reaches_the_last_layer_only():
    head = MLPHead(5, 8, hidden_channels=(6,), dropout=0.0)
    head.classify(torch.randn(3, 6)).sum().backward()
    assert {n for n, p in head.named_parameters() if p.grad is not None} == {'fc.weight', 'fc.bias'}


def test_order_of_dropout():
    head = MLPHead(5, 8, hidden_channels=(7, 6), dropout=(0, 0.3), dropout_first=True)
    assert (
        head.hidden[0].drop is None
        and head.hidden[1].drop.p == 0.3
        and head.hidden[1].dropout_first
    )


def test_loss_reference():
    head = MLPHead(5, 8, loss=dict(type='CrossEntropyLoss', loss_weight=2.0))
    logits = torch.randn(3, 5)
    losses = head.loss(logits, samples(4, 0, 2))
    assert list(losses) == ['loss_cls']
    torch.testing.assert_close(
        losses['loss_cls'], 2 * F.cross_entropy(logits, torch.tensor([4, 0, 2]))
    )
    torch.testing.assert_close(
        MLPHead(5, 8).loss(logits, samples(4, 0, 2))['loss_cls'] * 2, losses['loss_cls']
    )


def test_loss_of_mixed_samples_weighs_the_losses_of_their_classes():
    head = MLPHead(
        5, 8, loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others')
    )
    logits, given = torch.randn(3, 5), samples(4, 0, 2)
    given[1].set_gt_score(torch.tensor([0.7, 0, 0, 0.3, 0]))

    def of(row, label):
        return head.loss(logits[row : row + 1], samples(label))['loss_cls']

    expected = (of(0, 4) + 0.7 * of(1, 0) + 0.3 * of(1, 3) + of(2, 2)) / 3
    torch.testing.assert_close(head.loss(logits, given)['loss_cls'], expected)
    with pytest.raises(ValueError, match=r'gt_score has shape \(5,\), expected \(4,\)'):
        MLPHead(4, 8).loss(torch.randn(3, 4), given)


def test_loss_needs_a_sample_per_row():
    with pytest.raises(ValueError, match='3 rows of logits, 2 samples'):
        MLPHead(5, 8).loss(torch.randn(3, 5), samples(1, 2))


def test_clouds_without_a_label_do_not_count():
    head, logits = MLPHead(5, 8), torch.randn(4, 5, requires_grad=True)
    given = [PointDataSample(), *samples(1, 2), PointDataSample()]
    loss = head.loss(logits, given)['loss_cls']
    torch.testing.assert_close(loss, head.loss(logits[1:3], samples(1, 2))['loss_cls'])
    loss.backward()
    assert (logits.grad.abs().sum(1) > 0).tolist() == [False, True, True, False]
    nothing = head.loss(logits, [PointDataSample()] * 4)['loss_cls']
    nothing.backward()  # distributed training needs a gradient on every process
    assert nothing.item() == 0


def test_predict():
    head = MLPHead(5, 8)
    logits = torch.randn(2, 5)
    given = samples(4, 1)
    out = head.predict(logits.bfloat16(), given)
    for row, sample, before in zip(logits, out, given):
        assert sample.pred_score.dtype == torch.float32
        torch.testing.assert_close(sample.pred_score, row.bfloat16().float().softmax(0))
        assert sample.pred_label.tolist() == [int(row.argmax())]
        assert sample.sample_id == before.sample_id and torch.equal(
            sample.gt_label, before.gt_label
        )
        assert 'pred_score' not in before, 'what was given stays as it was'
    assert len(head.predict(logits)) == 2
    with pytest.raises(ValueError, match='2 rows of logits, 1 samples'):
        head.predict(logits, given[:1])
