import pickle

import pytest
import torch

from pcdet_kd.structures import PointDataSample, pseudo_targets, targets


def test_label_is_a_tensor_of_one():
    sample = PointDataSample().set_gt_label(3)
    assert sample.gt_label.dtype == torch.int64 and sample.gt_label.tolist() == [3]


def test_score_sets_the_predicted_class():
    sample = PointDataSample().set_pred_score(torch.tensor([0.1, 0.7, 0.2]))
    assert sample.pred_label.tolist() == [1]
    assert sample.set_pred_score(torch.tensor([0.4, 0.2, 0.4])).pred_label.tolist() == [
        0
    ]  # lowest index on ties


def test_identity_is_meta_information_that_travels():
    sample = PointDataSample(
        metainfo=dict(sample_idx=2, sample_id='chair/7', num_points=5, up_axis='y')
    ).set_gt_label(1)
    assert set(sample.keys()) == {'gt_label'}
    twin = pickle.loads(pickle.dumps(sample))
    assert (
        twin.sample_id == 'chair/7'
        and twin.to_dict()['sample_idx'] == 2
        and twin.gt_label.tolist() == [1]
    )


def test_a_score_must_be_a_tensor():
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        PointDataSample().set_pred_score([0.5, 0.5])


def test_the_targets_of_a_batch():
    samples = [PointDataSample().set_gt_label(i) for i in (2, 0, 1)]
    assert targets(samples, 3).tolist() == [2, 0, 1]  # none is mixed: the labels
    samples[1].set_gt_score(torch.tensor([0.75, 0.0, 0.25]))
    assert targets(samples, 3).tolist() == [[0, 0, 1], [0.75, 0, 0.25], [0, 1, 0]]
    assert samples[1].gt_label.tolist() == [0]
    with pytest.raises(
        ValueError, match=r'gt_score has shape \(3,\), expected \(5,\) for 5 classes'
    ):
        targets(samples, 5)


def test_parts_are_predicted_among_those_of_the_class():
    score = torch.tensor([[0.6, 0.3, 0.1], [0.6, 0.1, 0.3], [0.4, 0.3, 0.3]])
    sample = PointDataSample().set_gt_parts(torch.tensor([1, 2, -1])).set_part_score(score, (1, 2))
    assert sample.pred_parts.tolist() == [1, 2, 1]  # the first on ties; part 0 is another class's
    assert torch.equal(sample.part_score, score) and sample.gt_parts.tolist() == [1, 2, -1]


def test_the_teachers_class_stands_for_a_missing_label():
    logits = torch.tensor([[0.0, 9.0, 1.0], [5.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    some = [PointDataSample(), PointDataSample().set_gt_label(1), PointDataSample()]
    assert pseudo_targets(some, logits).tolist() == [1, 1, 2]
    known = [PointDataSample().set_gt_label(i) for i in (2, 0, 0)]
    assert pseudo_targets(known, logits).tolist() == [2, 0, 0]
