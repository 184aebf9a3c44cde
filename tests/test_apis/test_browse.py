import numpy as np
import pytest
import torch

from pcdet_kd.apis import browse_dataset
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import MODELS, TRANSFORMS

CONFIG = """
data = dict(type='TinyClouds')
model = dict(type='PointClassifier', backbone=dict(type='PointNet'),
             head=dict(type='MLPHead', num_classes=3))
pipeline = [
    dict(type='RandomScale'),
    dict(type='SiameseViews', view_1=[dict(type='RandomJitter')], view_2=[]),
    dict(type='PackPointInputs', keys=('points', 'points_2')),
]
train_dataloader = dict(batch_size=2, num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**data, split='train', pipeline=pipeline))
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text(CONFIG)
    return path


def test_stages_are_those_of_a_training(config):
    from mmengine.config import Config

    from pcdet_kd.registry import DATASETS

    found = browse_dataset(config, num=3, seed=5)
    dataset = DATASETS.build(Config.fromfile(config).train_dataloader.dataset)
    dataset.set_epoch(0, 5)
    assert [sample.title for sample in found] == [
        f'along_{"xyz"[i % 3]}, train no. {i} (train/{i})' for i in (0, 12, 23)
    ]
    for number, sample in zip((0, 12, 23), found):
        assert [stage.name.split('(')[0] for stage in sample.stages] == [
            'as in the files',
            'RandomScale',
            'SiameseViews',
        ]
        first, scaled, last = sample.stages
        np.testing.assert_array_equal(first.clouds['points'], dataset.records.points[number])
        inputs = dataset[number]['inputs']
        assert scaled.clouds.keys() == {'points'} and last.clouds.keys() == inputs.keys()
        for key, cloud in last.clouds.items():
            np.testing.assert_array_equal(cloud, inputs[key])
        assert 'view_1=1 transforms' in last.name and 'view_2=[]' in last.name
        assert last.unchanged == ["PackPointInputs(keys=('points', 'points_2'))"]
        assert sample.up_axis == 'y'


def test_more_samples_than_there_are(config):
    assert len(browse_dataset(config, num=100)) == 24


def test_a_split_that_is_not_there(config):
    with pytest.raises(ConfigError, match='val_dataloader: missing; the config has data for train'):
        browse_dataset(config, 'val')


VIEWS = """
_base_ = 'tiny.py'
pipeline = [
    dict(type='UnitSphere'),
    dict(type='ProjectViews', num_views=4, image_size=16),
    dict(type='PackPointInputs', keys=('points', 'views')),
]
train_dataloader = dict(
    dataset=dict(_delete_=True, **_base_.data, split='train', pipeline=pipeline))
"""
DRAWN = """
_base_ = 'tiny.py'
drawn = dict(type='PerspectiveProjection', num_views=4, image_size=16)
model = dict(_delete_=True, type='PointClassifier', backbone=dict(type='MultiViewResNet'),
             input_key='views', head=dict(type='MLPHead', num_classes=3),
             data_preprocessor=dict(type='PointDataPreprocessor', views=drawn))
"""
STUDENT = """
_base_ = 'tiny.py'
drawn = dict(type='PerspectiveProjection', num_views=4, image_size=16)
student = dict(type='PointClassifier', head=dict(type='MLPHead', num_classes=3),
               backbone=dict(type='MultiViewResNet', projection=drawn))
model = dict(_delete_=True, type='LogitKD', student=student)
"""


def browse(config, text):
    path = config.with_name('leaf.py')
    path.write_text(text)
    (sample,) = browse_dataset(path, num=1)
    return sample


def test_views_of_the_pipeline(config):
    files, scaled, last = browse(config, VIEWS).stages
    assert scaled.clouds and not scaled.views and not files.views
    assert last.name == 'ProjectViews(num_views=4, image_size=16)' and not last.clouds
    assert last.unchanged == ["PackPointInputs(keys=('points', 'views'))"]
    project = TRANSFORMS.build(dict(type='ProjectViews', num_views=4, image_size=16))
    cloud = dict(points=scaled.clouds['points'], up_axis='y')
    np.testing.assert_array_equal(last.views['views'], project(cloud)['views'])


@pytest.mark.parametrize('text', [DRAWN, STUDENT])
def test_views_that_the_model_draws(config, text):
    *_, points, last = browse(config, text).stages
    assert last.name == 'the model: PerspectiveProjection(num_views=4, image_size=16)'
    drawn = MODELS.build(dict(type='PerspectiveProjection', num_views=4, image_size=16))
    expected = drawn(torch.from_numpy(points.clouds['points'])[None])[0]
    np.testing.assert_array_equal(last.views['views'], expected)


def test_arguments_that_do_not_fit_the_data(config):
    text = "_base_ = 'tiny.py'\ntrain_dataloader = dict(dataset=dict(subset=1000))\n"
    with pytest.raises(ConfigError, match='train_dataloader.dataset: subset is 1000, but there'):
        browse(config, text)
