import os
from collections import namedtuple

import pytest

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.preflight import (
    check_metric_names,
    check_run,
    check_visualizer,
    check_work_dir,
)
from pcdet_kd.evaluation import GenerationDistance, PointAccuracy
from pcdet_kd.utils.errors import UserError


def test_a_work_directory_is_checked_and_not_made(tmp_path, monkeypatch):
    check_work_dir(tmp_path)
    check_work_dir(tmp_path / 'a/b')
    assert not list(tmp_path.iterdir())
    file = tmp_path / 'file'
    file.touch()
    for path in (file, file / 'below'):
        with pytest.raises(UserError, match=r'file is not a directory\. .*--work-dir'):
            check_work_dir(path)
    (tmp_path / 'link').symlink_to(tmp_path / 'gone')
    with pytest.raises(UserError, match='link is not a directory'):
        check_work_dir(tmp_path / 'link')


def test_a_read_only_work_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(UserError, match='is read-only, or you have no permission'):
        check_work_dir(tmp_path / 'new')


def test_a_full_disk(tmp_path, monkeypatch):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr('shutil.disk_usage', lambda path: usage(2**40, 2**40, 5 * 2**20))
    with pytest.raises(UserError, match='its disk has 5 MB free, and at least 100 MB'):
        check_work_dir(tmp_path)


def test_packages_of_the_visualizer(monkeypatch):
    backends = [dict(type='LocalVisBackend'), dict(type='mmengine.TensorboardVisBackend')]
    visualizer = dict(type='Visualizer', vis_backends=backends)
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ConfigError, match='TensorboardVisBackend needs .*pip install tensorboard'):
        check_visualizer(visualizer)
    monkeypatch.setattr('importlib.util.find_spec', lambda name: name == 'tensorboardX' or None)
    check_visualizer(visualizer)
    check_visualizer(dict(type='Visualizer'))
    check_visualizer(None)


def test_names_of_metrics_are_known_before_there_are_results(toy):
    metrics = [PointAccuracy(), GenerationDistance('emd', prefix='shape')]
    check_metric_names('save_best', ['accuracy', 'mean_class_accuracy', 'shape/emd'], metrics)
    check_metric_names('save_best', [], None)
    for name, told in (
        ('acuracy', "save_best.*'acuracy' is not among the metrics.* mean 'accuracy'"),
        ('emd', r'There are: accuracy, mean_class_accuracy, shape/emd'),
    ):
        with pytest.raises(ConfigError, match=f'(?s){told}'):
            check_metric_names('save_best', [name], metrics)
    foreign = [*metrics, toy.ToyAccuracy()]  # says nothing but its prefix
    check_metric_names('save_best', ['toy/top1', 'toy/anything'], foreign)
    with pytest.raises(ConfigError, match='toy/…'):
        check_metric_names('save_best', ['acuracy'], foreign)


def test_a_run_is_checked_before_it_is_built(toy, tmp_path):
    def check(**options):
        check_run(toy.toy_config(tmp_path, **options))

    check()
    accuracy = dict(type='PointAccuracy')
    check(val_evaluator=[accuracy], checkpoint=dict(save_best='accuracy'))
    plateau = dict(type='ReduceOnPlateauLR', monitor='accuracy')
    check(val_evaluator=dict(type='Evaluator', metrics=accuracy), param_scheduler=[plateau])
    for options, told in (
        (dict(val_evaluator=accuracy, checkpoint=dict(save_best='acc')), 'save_best.*accuracy'),
        (dict(val_evaluator=None, checkpoint=dict(save_best='toy/top1')), 'needs validation'),
        (dict(val_evaluator=accuracy, param_scheduler=dict(plateau, monitor='x')), 'monitor.*x'),
        (dict(work_dir=__file__), 'not a directory'),
    ):
        with pytest.raises(UserError, match=f'(?s){told}'):
            check(**options) if 'work_dir' not in options else check_run(options)
