import pickle

import numpy as np
import pytest

from pcdet_kd.corruptions import modelnet40c
from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.datasets.transforms import Corrupt, RandomCorruptions, SiameseViews
from pcdet_kd.datasets.transforms.corruption import PRESETS


@pytest.fixture(scope='module')
def points():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(1024, 3)) * (0.6, 0.2, 0.4)
    cloud = (cloud / np.linalg.norm(cloud, axis=1).max()).astype(np.float32)
    cloud.flags.writeable = False
    return cloud


def runs(transform, points, count=200):
    """Clouds after a transform, seeded one after the other as a data set does."""
    clouds = []
    for seed in range(count):
        np.random.seed([3, seed])
        clouds.append(transform(dict(points=points))['points'])
    return clouds


@pytest.mark.parametrize(
    'suite, name',
    [(s, c.name) for s in SUITES for c in SUITES[s].corruptions.values() if not c.needs_mesh],
)
def test_corrupt_is_the_generators_corruption(suite, name, points):
    for severity in SUITES[suite].severities:
        out = runs(Corrupt(name, severity, suite), points, 1)[0]
        np.random.seed([3, 0])
        rng = np.random.default_rng(np.random.randint(0, 2**32, 4, dtype=np.uint32))
        np.testing.assert_array_equal(
            out, SUITES[suite].corruptions[name].function(points, severity, rng)
        )
        assert len(out) == SUITES[suite].num_points(name, severity)


def test_other_arrays_are_taken_out(points):
    sample = dict(points=points, normals=points, mask=np.zeros(1024), gt_label=1, sample_id='a')
    for transform in (Corrupt('cutout', 1), RandomCorruptions('spt')):
        assert set(transform(sample)) == {'points', 'gt_label', 'sample_id'} and 'normals' in sample


def test_presets_are_the_published_pools():
    """DesenAT's "SpT" and SEGIR's "TND" (their released configs)."""
    assert PRESETS['spt'] == (('shear',), ('gaussian', 'identity'), ('scale', 'identity'))
    assert PRESETS['tnd'] == (
        ('shear', 'identity'),
        ('uniform', 'gaussian', 'impulse', 'identity'),
        ('density', 'density_inc', 'identity'),
    )
    assert RandomCorruptions('tnd').severities == (1, 2, 3, 4, 5)


@pytest.mark.parametrize('preset', ['spt', 'tnd'])
def test_presets_keep_the_number_of_points_and_vary(preset, points):
    clouds = runs(pickle.loads(pickle.dumps(RandomCorruptions(preset=preset))), points, 60)
    assert all(
        c.shape == (1024, 3) and c.dtype == np.float32 and np.isfinite(c).all() for c in clouds
    )
    assert len({c.tobytes() for c in clouds}) >= 55
    repeated = runs(RandomCorruptions(preset=preset), points, 60)
    assert all(np.array_equal(a, b) for a, b in zip(clouds, repeated))


def test_one_of_each_group_alike_and_a_severity_of_its_own(points):
    clouds = runs(RandomCorruptions(groups=[['impulse', 'identity'], ['scale']]), points, 400)
    sizes, moved = [], 0
    for cloud in clouds:
        factor = np.median(cloud / points, axis=0)
        rest = np.abs(cloud / factor - points).max(1) > 0.05
        assert rest.sum() in (0, 1024 // 60)  # at every severity
        moved += rest.any()
        sizes.append(np.abs(factor - 1).max())
    assert moved == pytest.approx(200, abs=50)
    sizes = np.array(sizes)
    assert 0.4 < sizes.max() <= 0.5 + 1e-5
    # U(-c, c) with c = .1 to .5, each in a fifth: the largest of three exceeds .4 only at c = .5
    assert (sizes > 0.4).mean() == pytest.approx(0.2 * (1 - 0.8**3), abs=0.05)


def test_groups_in_order(points):
    """Noise after scaling is not scaled: the order of the groups is the order of the steps."""
    after = runs(RandomCorruptions(groups=[['scale'], ['uniform']], severities=[5]), points, 30)
    first = runs(RandomCorruptions(groups=[['uniform'], ['scale']], severities=[5]), points, 30)

    def worst(clouds):
        return max(
            np.abs(c - points * np.linalg.lstsq(points, c, rcond=None)[0].diagonal()).max()
            for c in clouds
        )

    assert worst(after) < 0.055 < 0.06 < worst(first)


def test_nothing_is_normalised_or_clipped(points):
    far = points + 10
    for name in (
        'uniform',
        'gaussian',
        'impulse',
        'upsampling',
        'background',
        'shear',
        'rotation',
        'distortion_rbf',
    ):
        out = runs(RandomCorruptions(groups=[[name]]), far, 1)[0]
        assert out.max() > 5, name


def test_removed_points_go_to_the_origin_or_away(points):
    kept = runs(RandomCorruptions(groups=[['density']], severities=[2]), points, 1)[0]
    assert (kept == 0).all(1).sum() == 150 and (kept[-150:] == 0).all()
    gone = runs(
        RandomCorruptions(groups=[['density']], severities=[2], removed='delete'), points, 1
    )[0]
    assert gone.shape == (874, 3)
    np.testing.assert_array_equal(kept[:-150], gone)
    local = runs(
        RandomCorruptions(groups=[['dropout_local']], suite='modelnet-c', severities=[4]), points, 1
    )[0]
    assert local.shape == (1024, 3) and (local == 0).all(1).sum() == 500


def test_density_inc_keeps_any_number(points):
    for n in (1024, 700):
        assert all(
            len(c) == n for c in runs(RandomCorruptions(groups=[['density_inc']]), points[:n], 10)
        )


def test_as_second_view(points):
    out = SiameseViews(view_2=[dict(type='RandomCorruptions', preset='tnd')])(
        dict(points=points, normals=points)
    )
    assert (
        np.array_equal(out['points'], points)
        and out['points_2'].shape == points.shape
        and 'normals_2' not in out
    )


def test_too_few_points(points):
    with pytest.raises(ValueError, match='100 points, expected at least'):
        runs(RandomCorruptions(groups=[['density']], severities=[3]), points[:100], 1)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(), 'give either preset'),
        (dict(preset='spt', groups=[['shear']]), 'not both'),
        (dict(preset='sptt'), "preset is 'sptt'"),
        (dict(preset='spt', suite='modelnet-c'), "of suite 'modelnet-c'"),
        (dict(groups=[['sheer']]), "Did you mean 'shear'"),
        (dict(groups=['shear']), 'must be sequences'),
        (dict(groups=[[]]), 'at least one name'),
        (dict(groups=[['lidar']]), "name in groups is 'lidar'"),
        (dict(groups=[['jitter']]), "name in groups is 'jitter'"),
        (dict(groups=[['shear']], severities=[0]), r'severities are \(0,\)'),
        (dict(groups=[['shear']], severities=[]), r'severities are \(\)'),
        (dict(groups=[['shear']], removed='keep'), "removed is 'keep'"),
        (dict(groups=[['shear']], suite='c'), "suite is 'c'"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        RandomCorruptions(**arguments)


def test_wrong_arguments_of_corrupt():
    for arguments, message in (
        ((('jitter', 1), "name for modelnet40-c is 'jitter', must be one of")),
        (('occlusion', 1), "name for modelnet40-c is 'occlusion'"),
        (('cutout', 6), r'severities are \(6,\)'),
        (('scale', 1), "name for modelnet40-c is 'scale'"),
        (('cutout', 1, 'modelnet'), "suite is 'modelnet'"),
    ):
        with pytest.raises(ValueError, match=message):
            Corrupt(*arguments)
    assert 'scale' not in SUITES['modelnet40-c'].corruptions and callable(modelnet40c.scale)
