"""Batched forms against the transforms themselves, or, where they draw, against what the draws must
look like.
"""

import numpy as np
import pytest
import torch

from pcdet_kd.datasets import transforms as T
from pcdet_kd.datasets.counter_random import SampleDraws
from pcdet_kd.datasets.device_transforms import DEVICE_FORMS, apply, check_device_forms

N = 40


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(6, N, 3))
    return [
        dict(
            points=rng.normal(0.3, 1, (N, 3)).astype(np.float32),
            normals=(normals[i] / np.linalg.norm(normals[i], axis=1, keepdims=True)).astype(
                np.float32
            ),
            rgb=rng.random((N, 3)).astype(np.float32),
            part_labels=np.arange(N),
            up_axis='y',
        )
        for i in range(6)
    ]


@pytest.fixture
def batch(samples):
    keys = ('points', 'normals', 'rgb', 'part_labels')
    return dict(
        {key: torch.from_numpy(np.stack([s[key] for s in samples])) for key in keys}, up_axis='y'
    )


def run(batch, *transforms, seed=0):
    before = {key: value.clone() for key, value in batch.items() if torch.is_tensor(value)}
    out = apply(transforms, batch, SampleDraws(seed, 0, torch.arange(len(batch['points']))))
    assert all(torch.equal(batch[key], value) for key, value in before.items())
    return out


def test_every_transform_of_ours_has_a_form():
    # corruptions go cloud by cloud, with SciPy; pictures are read from files; tests of parts score
    # whole clouds, whose sizes differ
    without = {T.PointSampling, T.Corrupt, T.RandomCorruptions, T.LoadViews, T.ScoreEveryPoint}
    assert set(DEVICE_FORMS) == {getattr(T, name) for name in T.__all__} - without


@pytest.mark.parametrize(
    'transform',
    [
        T.FirstPoints(16),
        T.FarthestPoints(16),
        T.FirstPoints(100, on_short='resample'),
        T.CenterPoints(),
        T.CenterPoints('bbox'),
        T.UnitSphere(),
        T.UnitSphere(None),
        T.UnitSphere('bbox'),
        T.UnitBox(2.0),
        T.AddHeight(),
        T.ConvertUpAxis('z'),
        T.ProjectViews(num_views=2, image_size=8),
        T.ProjectViews(num_views=2, image_size=8, mode='color'),
        T.SiameseViews([T.FirstPoints(8)], [T.UnitSphere()]),
    ],
    ids=lambda t: type(t).__name__,
)
def test_deterministic_forms_do_what_the_transform_does(transform, samples, batch):
    out = run(batch, transform)
    for i, sample in enumerate(samples):
        expected = transform(sample)
        for key, value in expected.items():
            if isinstance(value, np.ndarray):
                assert torch.allclose(
                    out[key][i].double(), torch.from_numpy(value.astype(np.float64)), atol=1e-5
                ), key
            else:
                assert out[key] == value
        assert set(out) == set(expected)


def test_a_cloud_without_extent_is_not_divided_by_zero(batch):
    batch['points'] = torch.ones_like(batch['points'])
    for transform in (T.UnitSphere(), T.UnitBox()):
        assert (run(batch, transform)['points'] == 0).all()


def same_rows(out, batch):
    """Every per-point tensor was indexed alike, and by which index."""
    index = out['part_labels']
    for key in ('points', 'normals', 'rgb'):
        assert torch.equal(out[key], batch[key].gather(1, index[..., None].expand(-1, -1, 3)))
    return index


def test_shuffle_and_random_points(batch):
    index = same_rows(run(batch, T.ShufflePoints()), batch)
    assert (
        torch.equal(index.sort(1).values, torch.arange(N).expand(6, N))
        and len({tuple(i.tolist()) for i in index}) == 6
    )
    index = same_rows(run(batch, T.RandomPoints(10)), batch)
    assert index.shape == (6, 10) and all(len(set(i.tolist())) == 10 for i in index)
    index = same_rows(run(batch, T.FarthestThenRandom(10, 20)), batch)
    farthest = run(batch, T.FarthestPoints(20))['part_labels']
    assert all(set(i.tolist()) < set(f.tolist()) for i, f in zip(index, farthest))
    with pytest.raises(ValueError, match='the clouds have 40 points, num_points is 41'):
        run(batch, T.RandomPoints(41))


def test_dropout(batch):
    index = same_rows(run(batch, T.RandomPointDropout(0.9)), batch)
    kept = index == torch.arange(N)
    assert ((index == 0) | kept).all()
    shares = 1 - kept.double().mean(1)
    assert shares.min() < 0.35 and 0.55 < shares.max() < 1 and len(set(shares.tolist())) > 3
    few = run(batch, T.RandomPointDropout(0.2))['part_labels'] != torch.arange(N)
    assert 0 < few.double().mean(1).max() < 0.35


def test_scale_turns_normals_as_those_of_a_surface(batch):
    out = run(batch, T.RandomScale(0.5, 2.0))
    factor = out['points'] / batch['points']
    assert torch.allclose(factor, factor[:, :1].expand_as(factor), rtol=1e-5)
    assert (
        (factor[:, 0] >= 0.5).all()
        and (factor[:, 0] <= 2).all()
        and len(set(factor[:, 0].flatten().tolist())) == 18
    )
    normals = batch['normals'] / factor[:, :1]
    assert torch.allclose(out['normals'], normals / normals.norm(dim=2, keepdim=True), atol=1e-5)
    factor = run(batch, T.RandomScale(0.5, 2.0, per_axis=False))['points'] / batch['points']
    assert torch.allclose(factor, factor[:, :1, :1].expand_as(factor), rtol=1e-5)


def test_shift_and_jitter(batch):
    move = run(batch, T.RandomShift(0.2))['points'] - batch['points']
    assert (
        torch.allclose(move, move[:, :1].expand_as(move), atol=1e-6)
        and move.abs().max() <= 0.2 + 1e-6
    )
    assert len(set(move[:, 0].flatten().tolist())) == 18
    out = run(batch, T.RandomJitter(0.1, 0.15))
    noise = out['points'] - batch['points']
    assert 0.07 < noise.std() < 0.1 and noise.abs().max() == pytest.approx(0.15, abs=1e-5)
    assert torch.equal(out['normals'], batch['normals'])


@pytest.mark.parametrize('axis', ['up', 'x', 'any', 'so3'])
def test_rotation(axis, batch):
    out = run(batch, T.RandomRotate(axis, degrees=180 if axis == 'so3' else 30))
    matrix = torch.linalg.lstsq(batch['points'].double(), out['points'].double()).solution
    identity = torch.eye(3, dtype=torch.float64).expand(6, 3, 3)
    assert (
        torch.allclose(matrix @ matrix.transpose(1, 2), identity, atol=1e-5)
        and (torch.linalg.det(matrix) > 0.99).all()
    )
    assert torch.allclose(out['normals'].double(), batch['normals'].double() @ matrix, atol=1e-5)
    angle = torch.rad2deg(
        ((torch.diagonal(matrix, dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1).acos()
    )
    assert len(set(angle.tolist())) == 6 and (
        angle.max() <= 30.01 if axis != 'so3' else angle.max() > 60
    )
    fixed = {'up': 1, 'x': 0}.get(axis)
    if fixed is not None:
        assert torch.allclose(out['points'][..., fixed], batch['points'][..., fixed], atol=1e-6)


def test_rotation_turns_as_the_transform_does(batch, samples, monkeypatch):
    """The same angle about the same axis gives the same cloud: the sense of the turn is the
    transform's.
    """
    monkeypatch.setattr(
        SampleDraws, 'uniform', lambda self, low, high, *shape: torch.full((6, *shape), 40.0)
    )
    monkeypatch.setattr(np.random, 'uniform', lambda low, high: 40.0)
    out = run(batch, T.RandomRotate('up'))['points']
    assert torch.allclose(
        out[0], torch.from_numpy(T.RandomRotate('up')(samples[0])['points']), atol=1e-5
    )


def test_another_up_axis_is_an_error(batch):
    with pytest.raises(ValueError, match="the data's up axis is 'y', the pipeline expects 'z'"):
        run(batch, T.RandomRotate(up_axis='z'))


def test_packing(batch):
    inputs = run(batch, T.AddHeight(), T.PackPointInputs(features=('heights', 'normals')))['inputs']
    assert inputs['points'].shape == (6, N, 7) and torch.equal(
        inputs['points'][..., 4:], batch['normals']
    )
    siamese = run(
        batch,
        T.SiameseViews([], [T.RandomJitter()]),
        T.PackPointInputs(('points', 'points_2'), ('rgb',)),
    )['inputs']
    assert torch.equal(siamese['points_2'][..., 3:], batch['rgb']) and not torch.equal(
        siamese['points'], siamese['points_2']
    )
    with pytest.raises(KeyError, match="the sample has no 'heights'"):
        run(batch, T.PackPointInputs(features=('heights',)))


def test_draws_of_a_sample_do_not_depend_on_its_batch(batch):
    pipeline = [
        T.RandomPoints(16),
        T.RandomScale(),
        T.RandomRotate('so3'),
        T.RandomJitter(),
        T.RandomPointDropout(),
    ]
    whole = run(batch, *pipeline)['points']
    part = {key: value[2:4] if torch.is_tensor(value) else value for key, value in batch.items()}
    out = apply(pipeline, part, SampleDraws(0, 0, torch.tensor([2, 3])))['points']
    assert torch.allclose(out, whole[2:4], atol=1e-6)
    assert not torch.allclose(run(batch, *pipeline, seed=1)['points'], whole, atol=0.1)


def test_a_transform_without_a_form_is_named():
    class Mine(T.ShufflePoints):
        pass

    for pipeline in ([T.UnitSphere(), Mine()], [T.SiameseViews([], [Mine()])]):
        with pytest.raises(ValueError, match='Mine has no batched form for a device'):
            check_device_forms(pipeline)


def test_wolf_deforms_each_cloud_its_own_way_and_normals_follow(batch):
    out = run(batch, T.PointWOLF())
    assert torch.allclose(out['points'].norm(dim=2).amax(1), torch.ones(6)) and torch.equal(
        out['rgb'], batch['rgb']
    )
    assert torch.allclose(out['normals'].norm(dim=2), torch.ones(6, N)) and not torch.equal(
        out['normals'], batch['normals']
    )
    same = {**batch, 'points': batch['points'][:1].expand(6, N, 3)}
    assert len({cloud.sum().item() for cloud in run(same, T.PointWOLF())['points']}) == 6


GLOBAL = dict(count=2, num_points=16, fraction=(0.4, 1.0))
LOCAL = dict(count=3, num_points=8, fraction=(0.05, 0.4))


def test_crops_of_a_batch(batch):
    out = run(batch, T.MultiCrop(GLOBAL, LOCAL))
    assert out['global_crops'].shape == (6, 2, 16, 3) and out['local_crops'].shape == (6, 3, 8, 3)
    assert out['points'] is batch['points'] and out['normals'] is batch['normals']
    for i in range(6):
        cloud = {tuple(p) for p in batch['points'][i].tolist()}
        for crop in (*out['global_crops'][i], *out['local_crops'][i]):
            rows = [tuple(p) for p in crop.tolist()]
            assert set(rows) <= cloud and len(set(rows)) == len(rows)
    assert len({crop.sum().item() for crop in out['local_crops'].flatten(0, 1)}) == 18
    assert 'local_crops' not in run(batch, T.MultiCrop(GLOBAL))


def test_transforms_of_crops_in_a_batch(batch):
    plain = run(batch, T.MultiCrop(dict(GLOBAL, count=1)))['global_crops']
    transforms = [T.RandomRotate('up'), T.RandomScale(0.8, 1.2)]
    out = run(batch, T.MultiCrop(dict(GLOBAL, count=1), transforms=transforms))['global_crops']
    ratio = (out / plain)[:, 0, :, 1]  # along the up axis: scaled only
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio), rtol=1e-4)
    assert len(set(ratio[:, 0].tolist())) == 6 and ratio.min() >= 0.8 and ratio.max() <= 1.2001
    two = run(batch, T.MultiCrop(GLOBAL, transforms=[T.ShufflePoints(), T.RandomScale()]))
    assert not torch.equal(two['global_crops'][:, 0], two['global_crops'][:, 1])
    with pytest.raises(ValueError, match='must keep it'):
        run(batch, T.MultiCrop(GLOBAL, transforms=[T.FirstPoints(4)]))
    with pytest.raises(ValueError, match='LoadViews|Mine|has no batched form'):
        check_device_forms([T.MultiCrop(GLOBAL, transforms=[T.Corrupt('gaussian', 1)])])


def test_crops_of_small_clouds_in_a_batch(batch):
    with pytest.raises(ValueError, match='the cloud has 40 points, num_points of global_crops'):
        run(batch, T.MultiCrop(dict(GLOBAL, num_points=41)))
    out = run(batch, T.MultiCrop(dict(GLOBAL, num_points=41), on_short='resample'))
    assert out['global_crops'].shape == (6, 2, 41, 3)
