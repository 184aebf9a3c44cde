import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch.utils.data import DataLoader

from pcdet_kd.datasets import PointCloudFolder, collate_points
from pcdet_kd.datasets.transforms import MultiCrop, PackPointInputs
from pcdet_kd.datasets.transforms.multi_crop import CropSpec, choose, nearest
from pcdet_kd.utils.errors import SampleError

GLOBAL = dict(count=2, num_points=64, fraction=(0.4, 1.0))
LOCAL = dict(count=4, num_points=16, fraction=(0.05, 0.4))


def sample(n=400, seed=0):
    points = np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)
    return dict(points=points, normals=points, up_axis='z', sample_id='a/b', gt_label=1)


def rows(points):
    return [tuple(row) for row in points.tolist()]


def plain_crop(points, quaternion, scale, centre, count):
    """The published form in float64: rotate, stretch, sort everything by the maximum norm."""
    w, x, y, z = quaternion
    turned = points.astype(np.float64) @ Rotation.from_quat([x, y, z, w]).as_matrix().T
    distance = np.abs(scale * (turned - turned[centre])).max(1)
    return np.argsort(distance, kind='stable')[:count]


class Recorded:
    """A generator that keeps what it drew."""

    def __init__(self, seed):
        self.rng, self.drawn = np.random.default_rng(seed), []

    def __getattr__(self, name):
        def draw(*args, **kwargs):
            self.drawn.append((name, getattr(self.rng, name)(*args, **kwargs)))
            return self.drawn[-1][1]

        return draw


@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('kind', [GLOBAL, LOCAL])
def test_the_same_points_as_the_plain_form(seed, kind):
    points = sample(3000, seed)['points']
    rng = Recorded(seed)
    box = MultiCrop(GLOBAL)._random_box(rng).astype(np.float32)
    found = choose(CropSpec.of('x', kind), box @ points.T, rng)
    (_, aspect), (_, scale), (_, quaternion), (_, centre), (_, fraction), (_, kept) = rng.drawn
    assert 0.33 <= aspect <= 3 and kind['fraction'][0] <= fraction <= kind['fraction'][1]
    root = aspect**0.5
    np.testing.assert_allclose(sorted(scale), sorted([1, 1 / root, root]))
    count = max(int(fraction * 3000), kind['num_points'])
    expected = plain_crop(points, quaternion, scale, centre, count)
    assert kept.max() < count and len(set(kept)) == kind['num_points']
    inside = nearest(box @ points.T, int(centre), count)
    assert sorted(inside) == sorted(expected)
    np.testing.assert_array_equal(found, inside[kept])


def test_the_nearest_in_the_maximum_norm():
    axes = np.array([[0, 3, -1, 0, 5], [0, 0, 1, 2, 0], [0, 0, 0, 0, 0]], np.float32)
    assert [sorted(nearest(axes, 0, k)) for k in (1, 2, 3, 4)] == [
        [0],
        [0, 2],
        [0, 2, 3],
        [0, 1, 2, 3],
    ]


def test_crops_are_points_of_the_cloud_as_it_lies():
    results = sample()
    out = MultiCrop(GLOBAL, LOCAL)(results)
    assert out['points'] is results['points'] and out['normals'] is results['normals']
    assert out['global_crops'].shape == (2, 64, 3) and out['local_crops'].shape == (4, 16, 3)
    cloud = set(rows(results['points']))
    for crop in (*out['global_crops'], *out['local_crops']):
        assert crop.dtype == np.float32 and set(rows(crop)) <= cloud
        assert len(set(rows(crop))) == len(crop)
    assert len({crop.tobytes() for crop in out['local_crops']}) == 4
    assert 'local_crops' not in MultiCrop(GLOBAL)(results)


def test_sizes_of_the_boxes():
    line = np.zeros((1000, 3), np.float32)
    line[:, 0] = np.arange(1000)
    spans = []
    for _ in range(200):
        kind = dict(count=1, num_points=20, fraction=(0.1, 0.3))
        x = MultiCrop(kind)(dict(points=line))['global_crops'][0, :, 0]
        spans.append(np.ptp(x) + 1)
    # Of 100 to 300 neighbours on a line, 20 are kept: they span most of them, and never more
    # (a box at the end of the line reaches as far again in the other direction).
    assert min(spans) > 60 and max(spans) <= 301 and 150 < np.mean(spans) < 200


def test_order_is_random():
    """A whole-cloud crop and one of exactly the nearest points are both shuffled."""
    first = []
    for _ in range(30):
        kind = dict(count=1, num_points=8, fraction=(0.0, 0.0))
        crop = MultiCrop(kind)(sample(8))['global_crops'][0]
        first.append(crop[0].tobytes())
    assert len(set(first)) > 4


def test_transforms_of_each_crop():
    results = sample()
    scale = dict(type='RandomScale', low=0.8, high=1.2)
    np.random.seed(3)
    plain = MultiCrop(GLOBAL)(results)['global_crops']
    np.random.seed(3)
    scaled = MultiCrop(GLOBAL, transforms=[scale])(results)['global_crops']
    factors = (scaled / plain).astype(np.float64)
    assert np.ptp(factors, axis=1).max() < 1e-5  # one factor per crop and axis
    assert len(np.unique(factors[:, 0].round(4))) == 6 and (factors > 0.799).all()
    assert (factors < 1.201).all()
    np.random.seed(3)
    turned = MultiCrop(GLOBAL, transforms=[dict(type='RandomRotate', axis='up')])(results)
    np.testing.assert_allclose(turned['global_crops'][..., 2], plain[..., 2], atol=1e-6)
    assert np.abs(turned['global_crops'][..., 0] - plain[..., 0]).max() > 0.1
    assert turned['global_crops'].dtype == np.float32


def test_only_xyz_is_cropped():
    results = sample()
    results['points'] = np.concatenate([results['points'], np.ones((400, 2), np.float32)], axis=1)
    out = MultiCrop(GLOBAL, transforms=[dict(type='RandomScale')])(results)
    assert out['global_crops'].shape == (2, 64, 3) and out['points'].shape == (400, 5)


def test_small_clouds():
    with pytest.raises(ValueError, match="'a/b' has 63 points, num_points of global_crops is 64"):
        MultiCrop(GLOBAL, LOCAL)(sample(63))
    with pytest.raises(ValueError, match='num_points of local_crops'):
        MultiCrop(dict(GLOBAL, num_points=4), LOCAL)(sample(15))
    out = MultiCrop(GLOBAL, LOCAL, on_short='resample')(sample(40))
    crop = rows(out['global_crops'][0])
    assert len(set(crop)) == 40 and max(crop.count(row) for row in crop) == 2
    assert len(set(rows(out['local_crops'][0]))) == 16
    with pytest.raises(ValueError, match='has 0 points'):
        MultiCrop(GLOBAL, on_short='resample')(dict(points=np.zeros((0, 3), np.float32)))
    assert MultiCrop(GLOBAL)(sample(64))['global_crops'].shape == (2, 64, 3)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(global_crops=dict(GLOBAL, num_point=3)), "'num_point'.*Did you mean 'num_points'"),
        (dict(global_crops=dict(count=1)), 'global_crops lacks num_points, fraction'),
        (dict(global_crops=GLOBAL, local_crops=dict(LOCAL, count=0)), 'count of local_crops is 0'),
        (dict(global_crops=dict(GLOBAL, num_points=2.5)), 'num_points of global_crops is 2.5'),
        (dict(global_crops=dict(GLOBAL, fraction=(0.5, 0.4))), 'fraction of global_crops'),
        (dict(global_crops=dict(GLOBAL, fraction=(0.5, 1.4))), 'fraction of global_crops'),
        (dict(global_crops=GLOBAL, aspect=(0, 1)), 'aspect is'),
        (dict(global_crops=GLOBAL, on_short='pad'), "on_short is 'pad'"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiCrop(**arguments)


def test_transforms_must_keep_the_shape():
    with pytest.raises(ValueError, match='FirstPoints made points of shape'):
        MultiCrop(GLOBAL, transforms=[dict(type='FirstPoints', num_points=8)])(sample())
    with pytest.raises(ValueError, match='returned nothing'):
        MultiCrop(GLOBAL, transforms=[lambda results: None])(sample())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'a').mkdir()
    for i in range(8):
        np.save(tmp_path / 'a' / f'{i}.npy', sample(100)['points'])  # eight times the same cloud
    return tmp_path


def dataset(folder, **changes):
    crops = dict(type='MultiCrop', global_crops=GLOBAL, local_crops=LOCAL, **changes)
    pack = dict(type='PackPointInputs', keys=('global_crops', 'local_crops'))
    return PointCloudFolder(str(folder), 'z', pipeline=[crops, pack])


def test_workers_draw_different_crops_and_a_seed_repeats_them(folder):
    data = dataset(folder, transforms=[dict(type='RandomRotate'), dict(type='RandomScale')])

    def batches(seed, workers):
        data.set_epoch(0, seed)
        loader = DataLoader(data, batch_size=2, num_workers=workers, collate_fn=collate_points)
        return [batch['inputs'] for batch in loader]

    first, again, other = batches(0, 2), batches(0, 2), batches(1, 2)
    for name, shape in dict(global_crops=(2, 2, 64, 3), local_crops=(2, 4, 16, 3)).items():
        assert all(batch[name].shape == shape for batch in first)
        assert all(torch.equal(a[name], b[name]) for a, b in zip(first, again))
        assert all(torch.equal(a[name], b[name]) for a, b in zip(first, batches(0, 0)))
        crops = [crop.numpy().tobytes() for batch in (*first, *other) for crop in batch[name]]
        assert len(set(crops)) == 16  # of one cloud: every sample of every worker is another draw


def test_the_message_about_a_small_cloud_names_sample_and_remedy(folder):
    np.save(folder / 'a' / '3.npy', sample(50)['points'])
    with pytest.raises(SampleError, match=r"'a/3.npy'.*MultiCrop.*50 points.*on_short='resample'"):
        dataset(folder)[3]


def test_packing():
    out = PackPointInputs(keys=('global_crops', 'local_crops'))(MultiCrop(GLOBAL, LOCAL)(sample()))
    assert {k: tuple(v.shape) for k, v in out['inputs'].items()} == dict(
        global_crops=(2, 64, 3), local_crops=(4, 16, 3)
    )
    assert out['data_samples'].sample_id == 'a/b'
