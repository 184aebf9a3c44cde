import numpy as np

from pcdet_kd.datasets.transforms import ShufflePoints


def test_same_points_in_another_order():
    results = dict(points=np.arange(60, dtype=np.float32).reshape(20, 3), mask=np.arange(20))
    out = ShufflePoints()(results)
    assert sorted(out['mask']) == list(range(20)) and out['mask'].tolist() != list(range(20))
    np.testing.assert_array_equal(out['points'], results['points'][out['mask']])
