import numpy as np
import pytest
import torch

from pcdet_kd.datasets.transforms import ConvertUpAxis, ProjectViews
from pcdet_kd.views import PerspectiveProjection


def sample():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 3)).astype(np.float32) * 0.3
    return dict(points=points, rgb=rng.random((30, 3), dtype=np.float32), up_axis='y')


def test_same_images_as_the_module():
    results = sample()
    out = ProjectViews(image_size=16)(results)
    expected = PerspectiveProjection(image_size=16)(torch.tensor(results['points'])[None])[0]
    assert out['views'].shape == (6, 3, 16, 16) and out['views'].dtype == np.float32
    np.testing.assert_array_equal(out['views'], expected)
    color = ProjectViews(image_size=16, mode='color', channels=4)(results)['views']
    np.testing.assert_allclose(color[:, 3], expected[:, 0], rtol=1e-6)


def test_up_axis_of_the_sample_counts():
    turned = ConvertUpAxis('z')(sample())
    project = ProjectViews(image_size=16)
    np.testing.assert_array_equal(project(turned)['views'], project(sample())['views'])


def test_color_needs_rgb():
    results = sample()
    del results['rgb']
    with pytest.raises(KeyError, match="needs 'rgb'"):
        ProjectViews(mode='color')(results)
