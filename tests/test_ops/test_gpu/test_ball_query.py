import pytest
import torch


@pytest.mark.parametrize('skip_copies', [False, True])
@pytest.mark.parametrize('limit, k', [(1.0, 5), (4.000001, 90), (1e-9, 3), (float('inf'), 33)])
def test_same_indices(same, clouds, monkeypatch, limit, k, skip_copies):
    from pcdet_kd.ops.gpu import ball_query

    monkeypatch.setattr(ball_query, 'CHUNK', 32)
    points = clouds(70)
    same('ball_query', points[:, [3, 50, 69]], points, limit, k, skip_copies)


def test_without_a_hit_index_0(same):
    points = torch.randn(2, 9, 3)
    assert (
        same('ball_query', points[:, :2] + 100, points, 1.0, 4, False).tolist()
        == [[[0] * 4] * 2] * 2
    )


def test_copies_take_no_place_and_leave_a_ball_empty(same):
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 0, 0], [3, 0, 0], [-0.5, 0, 0]]])
    found = same('ball_query', points[:, 2:4], points, 4.0, 2, True)
    assert found.tolist() == [[[1, 4], [0, 0]]]


def test_a_point_on_the_border_is_outside(same):
    points = torch.tensor([[[0.0, 0, 0], [2, 0, 0], [0, 1, 0]]])
    assert same('ball_query', points[:, :1], points, 4.0, 3, False).tolist() == [[[0, 2, 0]]]
    assert same('ball_query', points[:, :1], points, 4.0000005, 3, False).tolist() == [[[0, 1, 2]]]


def test_one_point(same):
    assert same('ball_query', torch.ones(1, 1, 3), torch.ones(1, 1, 3), 1.0, 1, False).tolist() == [
        [[0]]
    ]
