import pytest
from mmengine.config import Config

from pcdet_kd import apis
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.stages import verify_files
from pcdet_kd.utils.errors import DataError


@pytest.fixture
def trained(tiny_configs):
    """A tiny student, trained for an epoch: its config and its checkpoint."""
    config = tiny_configs / 'tiny_student.py'
    config.write_text("_base_ = 'tiny_base.py'\nmodel = _base_.student\n")
    result = apis.train(config, {'max_epochs': 1})
    return config, result.weights, result.metrics['last']


def test_metrics_are_those_of_training_and_votes_are_told_apart(trained):
    config, weights, metrics = trained
    plain = apis.test(config, weights)
    assert plain.metrics == metrics and plain.suite is None and not plain.report
    assert plain.work_dir.parts[-3:] == ('work_dirs', 'tiny_student', 'test')
    voted = apis.test(config, weights, votes=2, work_dir='elsewhere')
    assert voted.metrics['accuracy'] == metrics['accuracy']
    assert 'accuracy_voted' in voted.metrics and voted.work_dir.name == 'elsewhere'
    with pytest.raises(ConfigError, match='at least 2'):
        apis.test(config, weights, votes=1)


def test_a_suite_gives_predictions_and_a_report(trained, write_suite):
    config, weights, _ = trained
    root = write_suite('modelnet-c')
    found = apis.test(
        config, weights, corruptions='modelnet-c', corruptions_root=root, report='report'
    )
    assert not found.metrics and found.suite.is_dir()
    assert (config.parents[1] / 'report/report.html').is_file()
    assert found.report['models'][0]['name'] == 'tiny_student'
    with pytest.raises(ConfigError, match='--votes'):
        apis.test(config, weights, corruptions='modelnet-c', votes=3)
    with pytest.raises(ConfigError, match='needs a suite'):
        apis.test(config, weights, renormalize='sphere')


def test_changed_bytes_are_found_where_asked(trained, tmp_path, monkeypatch):
    config, weights, _ = trained
    seen = []

    def verify(root):
        seen.append(root)
        raise DataError('x.h5', 'SHA-256 1', 'SHA-256 2', 'get the file again')

    monkeypatch.setattr('pcdet_kd.engine.stages.verify', verify)
    options = {'test_dataloader.dataset.data_root': str(tmp_path)}
    assert apis.test(config, weights, options).metrics
    with pytest.raises(DataError, match='SHA-256 1'):
        apis.test(config, weights, options, verify_data=True)
    with pytest.raises(DataError, match='SHA-256 1'):
        apis.train(config, options, verify_data=True)
    bank = dict(type='FeatureBank', data=[dict(data_root='of a bank')])
    with pytest.raises(DataError, match='SHA-256 1'):
        verify_files([Config(dict(model=dict(teachers=dict(image=bank))))])
    probe = dict(type='FeatureProbeHook', train=dict(data_root='of a probe'))
    with pytest.raises(DataError, match='SHA-256 1'):
        verify_files([Config(dict(custom_hooks=[probe]))])
    assert seen == [str(tmp_path)] * 2 + ['of a bank', 'of a probe']
