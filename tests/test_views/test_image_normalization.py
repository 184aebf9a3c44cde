import numpy as np
import pytest
import torch

from pcdet_kd.views import normalize_images


def test_every_value_of_every_channel():
    images = torch.arange(256, dtype=torch.uint8).repeat(2, 3, 1).reshape(2, 3, 16, 16).clone()
    images[1] = images[1].flip(-1)
    out = normalize_images(images)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = (images.numpy() / 255.0 - mean[:, None, None]) / std[:, None, None]
    assert out.dtype == torch.float32 and out.shape == (2, 3, 16, 16)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-6)
    assert normalize_images(images, (0, 0, 0), (1, 1, 1)).max() == 1


def test_grey_is_repeated():
    grey = torch.randint(
        256, (2, 5, 1, 4, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    out = normalize_images(grey, mean=(0.1, 0.2, 0.3), std=(1, 2, 4))
    assert out.shape == (2, 5, 3, 4, 6)
    assert torch.equal(
        out, normalize_images(grey.expand(2, 5, 3, 4, 6), mean=(0.1, 0.2, 0.3), std=(1, 2, 4))
    )


@pytest.mark.parametrize(
    'images',
    [
        torch.zeros(3, 4, 4),
        torch.zeros(2, 4, 4, dtype=torch.uint8),
        torch.zeros(4, 4, dtype=torch.uint8),
    ],
)
def test_other_arrays_are_an_error(images):
    with pytest.raises(ValueError, match='expected uint8'):
        normalize_images(images)
