import math

import numpy as np
import pytest
import torch

from pcdet_kd.datasets.transforms import PackPointInputs
from pcdet_kd.models import PointDataPreprocessor
from pcdet_kd.views import PerspectiveProjection, normalize_images


def test_lists_are_stacked_and_tensors_stay(batch):
    points = batch['inputs']['points']
    out = PointDataPreprocessor()(
        dict(inputs=dict(points=list(points)), data_samples=batch['data_samples'])
    )
    assert torch.equal(out['inputs']['points'], points)
    assert [s.sample_id for s in out['data_samples']] == [
        s.sample_id for s in batch['data_samples']
    ]


def test_views_are_drawn_once(batch):
    preprocessor = PointDataPreprocessor(views=dict(type='PerspectiveProjection', image_size=16))
    once = preprocessor(batch)['inputs']
    assert torch.equal(
        once['views'], PerspectiveProjection(image_size=16)(batch['inputs']['points'])
    )
    once['views'] = once['views'] + 1
    assert torch.equal(preprocessor(dict(inputs=once))['inputs']['views'], once['views'])
    assert 'views' not in batch['inputs'], 'the batch itself was changed'


def first_view_in_colour(points, rgb, size, distance=1.4):
    """SimpleView's first view, point by point in float64: rows along -y, columns along x."""
    image, total = np.zeros((3, size, size)), np.zeros((size, size))
    for (x, y, z), colour in zip(points.astype(np.float64), rgb.astype(np.float64)):
        depth = z + distance
        row, column = (math.ceil((c / depth + 1) * size / 2 - 0.5) for c in (-y, x))
        if 0 <= row < size and 0 <= column < size:
            image[:, row, column] += colour / depth
            total[row, column] += 1 / depth
    return np.divide(image, total, out=image, where=total > 0)


def test_colours_of_a_sample_become_colour_views():
    rng = np.random.default_rng(0)
    sample = dict(points=rng.uniform(-0.6, 0.6, (200, 3)), rgb=rng.uniform(0, 1, (200, 3)))
    sample = {name: value.astype(np.float32) for name, value in sample.items()}
    points = PackPointInputs(features=('rgb',))(sample)['inputs']['points']
    views = dict(type='PerspectiveProjection', mode='color', image_size=16)
    drawn = PointDataPreprocessor(views)(dict(inputs=dict(points=[points])))['inputs']['views']
    expected = first_view_in_colour(sample['points'], sample['rgb'], 16)
    assert drawn.shape == (1, 6, 3, 16, 16) and (drawn > 0).any()
    np.testing.assert_allclose(drawn[0, 0].numpy(), expected, rtol=1e-5, atol=1e-6)
    several = np.unique(np.round(expected.sum(0)[expected.sum(0) > 0], 6))
    assert len(several) > 50, 'many pixels, of which some mix colours'


def test_pictures_in_bytes_are_normalized_once(batch):
    views = torch.arange(6 * 2 * 16, dtype=torch.uint8).reshape(6, 2, 1, 4, 4)
    given = dict(inputs=dict(batch['inputs'], views=views))
    out = PointDataPreprocessor()(given)['inputs']['views']
    assert torch.equal(out, normalize_images(views)) and given['inputs']['views'] is views
    other = PointDataPreprocessor(image_mean=(0, 0, 0), image_std=(1, 1, 0.5))
    torch.testing.assert_close(other(given)['inputs']['views'][:, :, 2], views[:, :, 0] / 127.5)
    again = PointDataPreprocessor(views=dict(type='PerspectiveProjection', image_size=8))
    assert torch.equal(again(dict(inputs=dict(batch['inputs'], views=out)))['inputs']['views'], out)


def test_views_of_clouds_with_another_up_axis_are_an_error(batch):
    def preprocess(up_axis):
        views = dict(type='PerspectiveProjection', image_size=8, up_axis=up_axis)
        return PointDataPreprocessor(views=views)(batch)

    assert (
        'views' in preprocess('y')['inputs']
    )  # samples that say nothing of it are taken as they are
    for sample in batch['data_samples']:
        sample.set_metainfo(dict(up_axis='z'))
    assert 'views' in preprocess('z')['inputs']
    with pytest.raises(ValueError, match=r"'train/0' is 'z'.*'y' up: set up_axis='z'"):
        preprocess('y')


def mixing(num_classes=3, kind='RSMix', **options):
    return PointDataPreprocessor(
        batch_augments=dict(augments=dict(type=kind), **options), num_classes=num_classes
    )


def test_clouds_are_mixed_in_training_only(batch):
    before = batch['inputs']['points'].clone()
    preprocessor = mixing()
    plain = preprocessor(batch, False)
    assert (
        torch.equal(plain['inputs']['points'], before)
        and 'gt_score' not in plain['data_samples'][0]
    )
    torch.manual_seed(0)
    mixed = preprocessor(batch, True)
    assert not torch.equal(mixed['inputs']['points'], before)
    for i, (sample, given) in enumerate(zip(mixed['data_samples'], batch['data_samples'])):
        assert sample.gt_score.shape == (3,) and float(sample.gt_score.sum()) == pytest.approx(1)
        assert sample.gt_label.tolist() == [i % 3] and sample.sample_id == f'train/{i}'
        assert 'gt_score' not in given, 'the sample that was given was changed'
    assert torch.equal(batch['inputs']['points'], before), 'the batch itself was changed'


def test_a_batch_that_is_not_drawn_keeps_its_hard_labels(batch):
    out = mixing(probs=0.0)(batch, True)
    assert torch.equal(out['inputs']['points'], batch['inputs']['points'])
    assert not any('gt_score' in sample for sample in out['data_samples'])


def test_mixing_follows_from_the_numbers_given_and_else_from_torch(batch):
    preprocessor = mixing(kind='PointMixup')

    def run(*numbers, seed=0):
        torch.manual_seed(seed)
        if numbers:
            preprocessor.set_random_state(*numbers)
        return preprocessor(batch, True)['inputs']['points']

    assert torch.equal(run(3, 7, 0), run(3, 7, 0, seed=1))
    assert (
        len(
            {run(*numbers).sum().item() for numbers in ((3, 7, 0), (4, 7, 0), (3, 8, 0), (3, 7, 1))}
        )
        == 4
    )
    assert torch.equal(run(seed=5), run(seed=5)) and not torch.equal(run(seed=5), run(seed=6))
    again = preprocessor(batch, True)['inputs']['points']  # the numbers count for one batch
    assert not torch.equal(again, run(3, 7, 0))


def test_views_show_the_mixed_clouds(batch):
    views = dict(type='PerspectiveProjection', image_size=16)
    torch.manual_seed(0)
    out = PointDataPreprocessor(views=views, batch_augments=dict(type='RSMix'), num_classes=3)(
        batch, True
    )['inputs']
    assert torch.equal(out['views'], PerspectiveProjection(image_size=16)(out['points']))
    assert not torch.equal(
        out['views'], PerspectiveProjection(image_size=16)(batch['inputs']['points'])
    )


def test_mixing_does_not_leave_other_inputs_behind(batch):
    points = batch['inputs']['points']
    for name, value in (('points_2', points), ('views', torch.zeros(6, 1, 3, 8, 8))):
        with pytest.raises(
            ValueError, match=f"\\['{name}'\\] would still show the clouds as they were"
        ):
            mixing()(
                dict(
                    inputs=dict(points=points, **{name: value}), data_samples=batch['data_samples']
                ),
                True,
            )
    with pytest.raises(ValueError, match=r"the batch has \['views'\]"):
        mixing()(dict(inputs=dict(views=points), data_samples=batch['data_samples']), True)
    with pytest.raises(ValueError, match='needs a gt_label'):
        mixing()(dict(inputs=dict(points=points), data_samples=None), True)


def test_mixing_is_not_touched_by_autocast(batch):
    def augment(points, score, rng):
        return points @ torch.eye(3), score.flip(0)

    preprocessor = PointDataPreprocessor(batch_augments=dict(augments=augment), num_classes=3)
    with torch.autocast('cpu', torch.bfloat16):
        mixed = preprocessor(batch, True)
    assert torch.equal(mixed['inputs']['points'], batch['inputs']['points'])
    assert mixed['data_samples'][0].gt_score.tolist() == [0, 0, 1]


def test_mixing_needs_the_number_of_classes():
    with pytest.raises(ValueError, match='needs num_classes'):
        mixing(num_classes=None)
    with pytest.raises(TypeError, match="has no argument 'prob'. Did you mean 'probs'"):
        mixing(prob=0.5)
