import cv2
import numpy as np
import pytest
import torch

from pcdet_kd.datasets import PointCloudFolder
from pcdet_kd.datasets.transforms import LoadViews, PackPointInputs
from pcdet_kd.models import PointDataPreprocessor
from pcdet_kd.utils.errors import SampleError
from pcdet_kd.views import normalize_images

SAMPLE = dict(
    points=np.zeros((4, 3), np.float32),
    sample_id='chair_0002',
    class_name='chair',
    official_split='train',
    gt_label=0,
)


def write(root, name, seed=0, channels=()):
    images = np.random.default_rng(seed).integers(0, 256, (2, 8, 8, *channels), dtype=np.uint8)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    for view, image in enumerate(images, 1):
        cv2.imwrite(str(root / f'{name}_{view:03d}.png'), image)
    return images


def load(root, **kwargs):
    return LoadViews(str(root), num_views=2, image_size=8, **kwargs)


def test_normalized_pictures_of_the_sample(tmp_path):
    images = write(tmp_path, 'chair/train/chair_0002')
    out = load(tmp_path)(SAMPLE)
    assert (
        out['views'].dtype == np.float32
        and out['points'] is SAMPLE['points']
        and 'views' not in SAMPLE
    )
    np.testing.assert_array_equal(out['views'], normalize_images(torch.from_numpy(images)[:, None]))
    other = load(tmp_path, mean=(0, 0, 0), std=(1, 1, 0.5))(SAMPLE)['views']
    np.testing.assert_allclose(
        other, images[:, None] / 255 * np.array([1, 1, 2])[:, None, None], rtol=1e-6
    )


@pytest.mark.parametrize('channels', [(), (3,)])
def test_bytes_are_normalized_on_the_device_alike(tmp_path, channels):
    write(tmp_path, 'chair/train/chair_0002', channels=channels)
    settings = dict(color=bool(channels))
    packed = [
        PackPointInputs(('points', 'views'))(load(tmp_path, **settings, **kwargs)(SAMPLE))['inputs']
        for kwargs in (dict(), dict(mean=None, std=None))
    ]
    assert packed[1]['views'].dtype == torch.uint8 and packed[1]['views'].shape == (
        2,
        3 if channels else 1,
        8,
        8,
    )
    preprocess = PointDataPreprocessor()
    done = [
        preprocess(dict(inputs={k: v[None] for k, v in inputs.items()}))['inputs']['views']
        for inputs in packed
    ]
    assert torch.equal(done[0], packed[0]['views'][None]) and torch.equal(done[1], done[0])


def test_cache(tmp_path):
    images = write(tmp_path / 'views', 'chair/train/chair_0002')
    kwargs = dict(mean=None, std=None, cache_dir=str(tmp_path / 'cache'))
    for _ in range(2):
        np.testing.assert_array_equal(
            load(tmp_path / 'views', **kwargs)(SAMPLE)['views'][:, 0], images
        )
    assert len(list((tmp_path / 'cache').rglob('*.npy'))) == 1


def test_names(tmp_path):
    write(tmp_path, 'train/a.b')
    sample = dict(SAMPLE, sample_id='train/a.b.off')
    assert load(tmp_path, name='{stem}')(sample)['views'].shape == (2, 3, 8, 8)
    with pytest.raises(KeyError, match=r"needs 'class_name'; the sample has .*sample_id"):
        load(tmp_path)({k: v for k, v in sample.items() if k != 'class_name'})


@pytest.fixture
def meshes(tmp_path):
    """A folder of meshes, and the pictures of each."""
    for i, name in enumerate(
        ('box/train/b0', 'box/train/b1', 'arm/train/a0', 'arm/test/a1', 'box/test/b2')
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f'{name}.off').write_text('OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n')
        write(tmp_path / 'views', name, seed=i)
    return tmp_path


def folder(meshes, **kwargs):
    pipeline = [
        dict(
            type='LoadViews',
            views_root=str(meshes / 'views'),
            num_views=2,
            image_size=8,
            name='{stem}',
        )
    ]
    return PointCloudFolder(
        str(meshes), 'z', classes=['arm', 'box'], mesh_points=8, pipeline=pipeline, **kwargs
    )


def test_a_folder_of_meshes_and_the_views_rendered_from_it(meshes):
    views = [
        sample['views'] for split in ('train', 'test') for sample in folder(meshes, split=split)
    ]
    for found, seed in zip(views, (2, 0, 1, 3, 4), strict=True):
        expected = np.random.default_rng(seed).integers(0, 256, (2, 1, 8, 8), dtype=np.uint8)
        np.testing.assert_array_equal(found, normalize_images(torch.from_numpy(expected)))


def test_the_data_sets_fingerprint_is_of_the_pictures_too(meshes):
    first = folder(meshes).fingerprint()
    assert folder(meshes).fingerprint() == first
    write(meshes / 'views', 'arm/test/a1', seed=9)
    (meshes / 'views/arm/test/a1_001.png').write_bytes(b'x')
    assert folder(meshes).fingerprint() == first
    (meshes / 'views/box/train/b1_001.png').write_bytes(b'x')
    assert folder(meshes).fingerprint() != first
    (meshes / 'views/box/train/b1_001.png').unlink()
    with pytest.raises(ValueError, match='b1_001.png\n  found:    no such file; 1 of 2'):
        folder(meshes).fingerprint()
    with pytest.raises(
        SampleError, match=r"sample 2 \('box/train/b1.off'\) failed in LoadViews: .*b1_001.png"
    ):
        folder(meshes)[2]


@pytest.mark.parametrize(
    'kwargs', [dict(mean=None), dict(std=None), dict(mean=(1, 2)), dict(std=(1, 2, 3, 4))]
)
def test_wrong_arguments(kwargs):
    with pytest.raises(ValueError, match='must be three numbers each, or None for both'):
        load('x', **kwargs)
