import numpy as np
import pytest

from pcdet_kd.datasets.synthetic.generate import make_sample
from pcdet_kd.datasets.synthetic.parallel import make_samples


@pytest.mark.parametrize('count, workers', [(7, 1), (64, 2), (64, None)])
def test_neither_count_nor_workers_matter(count, workers):
    arrays = make_samples('PB_T50_RS', 1, 'test', count, 32, workers)
    assert arrays['points'].shape == arrays['normals'].shape == (count, 32, 3)
    assert arrays['part_labels'].shape == (count, 32)
    for index in (0, 6, count - 1):
        alone = make_sample('PB_T50_RS', 1, 'test', index, 32)
        np.testing.assert_array_equal(arrays['points'][index], alone.points)
        np.testing.assert_array_equal(arrays['normals'][index], alone.normals)
        np.testing.assert_array_equal(arrays['part_labels'][index], alone.parts)
