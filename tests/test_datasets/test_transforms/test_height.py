import numpy as np
import pytest

from pcdet_kd.datasets.transforms import AddHeight


@pytest.mark.parametrize('up_axis', ['x', 'y', 'z'])
def test_height_is_along_the_up_axis(up_axis):
    points = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    heights = AddHeight()(dict(points=points, up_axis=up_axis))['heights']
    column = points[:, 'xyz'.index(up_axis)]
    np.testing.assert_array_equal(heights, (column - column.min())[:, None])
