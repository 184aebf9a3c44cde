import numpy as np
import pytest

from pcdet_kd.datasets.transforms import ScoreEveryPoint, UnitSphere


def cloud(n, seed=0):
    rng = np.random.default_rng(seed)
    return dict(
        points=rng.normal(size=(n, 3)).astype(np.float32),
        part_labels=np.arange(n),
        heights=np.arange(n, dtype=np.float32)[:, None],
    )


@pytest.mark.parametrize('kind', ['FirstPoints', 'FarthestPoints', 'RandomPoints'])
def test_every_point_gets_its_nearest_kept_point(kind):
    results = cloud(50)
    out = ScoreEveryPoint(dict(type=kind, num_points=20))(results)
    assert len(out['points']) == 20 and len(out['heights']) == 20
    away = np.linalg.norm(results['points'][:, None].astype(float) - out['points'][None], axis=2)
    assert out['nearest'].dtype == np.int64
    np.testing.assert_array_equal(out['nearest'], away.argmin(axis=1))
    np.testing.assert_array_equal(out['whole_part_labels'], np.arange(50))
    kept = out['part_labels']
    np.testing.assert_array_equal(out['nearest'][kept], np.arange(20))  # a kept point is its own


def test_a_small_cloud_is_scored_once_though_points_repeat():
    out = ScoreEveryPoint(dict(type='FarthestPoints', num_points=16, on_short='resample'))(cloud(5))
    assert len(out['points']) == 16
    np.testing.assert_array_equal(out['nearest'], np.arange(5))


def test_labels_may_be_missing():
    results = {key: value for key, value in cloud(8).items() if key != 'part_labels'}
    out = ScoreEveryPoint(dict(type='FirstPoints', num_points=4))(results)
    assert 'whole_part_labels' not in out and len(out['nearest']) == 8


def test_a_transform_that_moves_points_is_refused():
    with pytest.raises(ValueError, match='UnitSphere moved points'):
        ScoreEveryPoint(UnitSphere())(cloud(8))
