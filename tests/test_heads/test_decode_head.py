import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.heads import DecodeHead
from pcdet_kd.structures import PointDataSample

CLASS_PARTS = ((0, 1), (2, 3, 4))


class Head(DecodeHead):
    def forward(self, points, features, category):
        raise NotImplementedError


def head(**options):
    return Head(num_parts=5, num_classes=2, level_channels=(4,), global_channels=8, **options)


def sample(*parts):
    return PointDataSample(metainfo=dict(sample_id='s')).set_gt_parts(torch.tensor(parts))


def test_the_loss_is_over_labelled_points():
    logits = torch.randn(3, 4, 5, requires_grad=True)
    samples = [sample(0, 1, -1, 0), sample(2, 3, 4, -1), PointDataSample()]
    rows = [(0, 0, 0), (0, 1, 1), (0, 3, 0), (1, 0, 2), (1, 1, 3), (1, 2, 4)]
    wanted = torch.stack(
        [-logits[b, n].double().log_softmax(0)[part] for b, n, part in rows]
    ).mean()
    losses = head().loss(logits, samples)
    assert list(losses) == ['loss_seg']
    torch.testing.assert_close(losses['loss_seg'].double(), wanted)
    losses['loss_seg'].backward()
    assert logits.grad[0, 2].abs().max() == 0 and logits.grad[2].abs().max() == 0


def test_the_loss_is_a_part():
    smooth = head(loss=dict(type='CrossEntropyLoss', label_smoothing=0.2, loss_weight=2.0))
    logits = torch.randn(1, 4, 5)
    expected = 2 * F.cross_entropy(logits[0], torch.tensor([0, 1, 1, 0]), label_smoothing=0.2)
    torch.testing.assert_close(smooth.loss(logits, [sample(0, 1, 1, 0)])['loss_seg'], expected)


def test_a_batch_without_a_label_costs_nothing():
    logits = torch.randn(1, 2, 5, requires_grad=True)
    loss = head().loss(logits, [sample(-1, -1)])['loss_seg']
    loss.backward()
    assert loss.item() == 0 and logits.grad.abs().max() == 0


def test_what_training_cannot_use_is_named():
    with pytest.raises(ValueError, match=r'PackPointInputs\(parts=True\)'):
        head().loss(torch.zeros(1, 2, 5), [PointDataSample()])
    with pytest.raises(ValueError, match='ScoreEveryPoint is for evaluation'):
        head().loss(torch.zeros(1, 2, 5), [sample(0, 1, 1)])
    with pytest.raises(ValueError, match='no levels'):
        Head(num_parts=5, num_classes=2, level_channels=(), global_channels=8)


def test_only_parts_of_the_class_are_predicted():
    logits = torch.randn(2, 6, 5)
    given = [sample(*range(6)), sample(*range(6))]
    predicted = head().predict(logits, given, CLASS_PARTS, torch.tensor([1, 0]))
    for out, row, parts in zip(predicted, logits, ((2, 3, 4), (0, 1))):
        torch.testing.assert_close(out.part_score, row.softmax(1))
        best = [max(parts, key=lambda part: float(point[part])) for point in row]
        assert out.pred_parts.tolist() == best
        assert 'gt_parts' in out and out.sample_id == 's'
    assert 'part_score' not in given[0]


def test_points_that_were_left_out_take_their_neighbours_prediction():
    logits = torch.randn(1, 3, 5)
    nearest = torch.tensor([2, 2, 0, 1, 0])
    given = [sample(0, 1, 0, 1, -1).set_nearest(nearest)]
    out = head().predict(logits, given, CLASS_PARTS, torch.tensor([0]))[0]
    assert len(out.pred_parts) == len(out.gt_parts) == 5
    torch.testing.assert_close(out.part_score, logits[0].softmax(1)[nearest])
