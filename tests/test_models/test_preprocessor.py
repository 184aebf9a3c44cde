import pytest
import torch

from pcdet_kd.models import PointDataPreprocessor
from pcdet_kd.views import PerspectiveProjection


def test_lists_are_stacked_and_tensors_stay(batch):
    points = batch['inputs']['points']
    out = PointDataPreprocessor()(dict(inputs=dict(points=list(points)), data_samples=batch['data_samples']))
    assert torch.equal(out['inputs']['points'], points)
    assert [s.sample_id for s in out['data_samples']] == [s.sample_id for s in batch['data_samples']]


def test_views_are_drawn_once(batch):
    preprocessor = PointDataPreprocessor(views=dict(type='PerspectiveProjection', image_size=16))
    once = preprocessor(batch)['inputs']
    assert torch.equal(once['views'], PerspectiveProjection(image_size=16)(batch['inputs']['points']))
    once['views'] = once['views'] + 1
    assert torch.equal(preprocessor(dict(inputs=once))['inputs']['views'], once['views'])
    assert 'views' not in batch['inputs'], 'the batch itself was changed'


def test_padding_is_not_drawn(batch):
    points = batch['inputs']['points'].clone()
    points[0, 10:] = 0.5
    preprocessor = PointDataPreprocessor(views=dict(type='PerspectiveProjection', image_size=16))
    inputs = preprocessor(dict(inputs=dict(points=points, lengths=torch.tensor([10] + [16] * 5))))['inputs']
    alone = preprocessor(dict(inputs=dict(points=points[:1, :10])))['inputs']
    assert torch.equal(inputs['views'][:1], alone['views'])


def test_views_of_clouds_with_another_up_axis_are_an_error(batch):
    def preprocess(up_axis):
        views = dict(type='PerspectiveProjection', image_size=8, up_axis=up_axis)
        return PointDataPreprocessor(views=views)(batch)

    assert 'views' in preprocess('y')['inputs']  # samples that say nothing of it are taken as they are
    for sample in batch['data_samples']:
        sample.set_metainfo(dict(up_axis='z'))
    assert 'views' in preprocess('z')['inputs']
    with pytest.raises(ValueError, match=r"'train/0' is 'z'.*'y' up: set up_axis='z'"):
        preprocess('y')
