import pytest
import torch

from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.registry import FUNCTIONS
from pcdet_kd.structures import PointDataSample


def item(name='a', **inputs):
    return dict(inputs=inputs, data_samples=PointDataSample(metainfo=dict(sample_id=name)))


def test_equal_sizes_are_stacked():
    items = [item(points=torch.rand(5, 3), views=torch.rand(2, 3, 4, 4)) for _ in range(3)]
    batch = collate_points(items)
    assert list(batch['inputs']) == ['points', 'views']
    assert torch.equal(
        batch['inputs']['points'], torch.stack([i['inputs']['points'] for i in items])
    )
    assert batch['inputs']['views'].shape == (3, 2, 3, 4, 4)
    assert batch['data_samples'] == [i['data_samples'] for i in items]


def test_a_ragged_batch_is_an_error_that_says_what_to_do():
    message = (
        r"'points' has shape \(3, 3\) in sample 'b' but \(5, 3\) in 'a': .*SameSizeBatchSampler"
    )
    with pytest.raises(ValueError, match=message):
        collate_points([item('a', points=torch.rand(5, 3)), item('b', points=torch.rand(3, 3))])


def test_what_does_not_fit_is_named():
    with pytest.raises(
        ValueError, match=r"'views' has shape \(2, 1\) in sample 'b' but \(2, 2\) in 'a'"
    ):
        collate_points([item('a', views=torch.rand(2, 2)), item('b', views=torch.rand(2, 1))])
    with pytest.raises(
        ValueError, match=r"'points' has shape \(4, 3\) in sample 'b' but \(5, 6\) in 'a'"
    ):
        collate_points([item('a', points=torch.rand(5, 6)), item('b', points=torch.rand(4, 3))])
    with pytest.raises(
        ValueError, match=r"'b' has inputs \['points'\] but 'a' has \['points', 'views'\]"
    ):
        collate_points(
            [
                item('a', points=torch.rand(5, 3), views=torch.rand(1)),
                item('b', points=torch.rand(5, 3)),
            ]
        )


def test_registered():
    assert FUNCTIONS.get('collate_points') is collate_points
