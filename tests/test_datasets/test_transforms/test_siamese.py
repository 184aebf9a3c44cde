import numpy as np
import pytest

from pcdet_kd.datasets.transforms import PackPointInputs, SiameseViews


def sample():
    points = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    return dict(
        points=points, heights=points[:, 1:2].copy(), mask=np.arange(12), up_axis='y', gt_label=1
    )


def test_two_draws_from_one_sample():
    results = sample()
    scale = [dict(type='RandomScale')]
    out = SiameseViews(scale, scale)(results)
    first, second = out['points'] / results['points'], out['points_2'] / results['points']
    np.testing.assert_allclose(first, np.tile(first[0], (12, 1)), rtol=1e-5)
    np.testing.assert_allclose(second, np.tile(second[0], (12, 1)), rtol=1e-5)
    assert np.abs(first[0] - second[0]).min() > 0
    out = SiameseViews([dict(type='FirstPoints', num_points=3)], scale)(
        results
    )  # the second is not made from the first
    assert out['points'].shape == (3, 3) and out['points_2'].shape == (12, 3)


def test_arrays_follow_their_view():
    results = sample()
    out = SiameseViews([], [dict(type='ShufflePoints'), dict(type='FirstPoints', num_points=5)])(
        results
    )
    assert out['points'] is results['points'] and out['points_2'].shape == (5, 3)
    np.testing.assert_array_equal(out['points_2'], results['points'][out['mask_2']])
    packed = PackPointInputs(('points', 'points_2'), ('heights',))(out)['inputs']
    assert packed['points'].shape == (12, 4) and packed['points_2'].shape == (5, 4)
    np.testing.assert_array_equal(packed['points_2'][:, 3], out['heights_2'][:, 0])


def test_a_view_that_returns_nothing_is_an_error():
    with pytest.raises(ValueError, match='returned nothing'):
        SiameseViews([lambda results: None])(sample())
