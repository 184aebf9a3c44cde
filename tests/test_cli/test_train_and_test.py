import json
from pathlib import Path

import pytest

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.utils.errors import DataError


def test_from_configs_to_numbers(tiny_configs, command):
    leaf = tiny_configs / 'tiny_pointcmt.py'
    code, out, err = command(
        'train', leaf, '--with-baseline', '--seed', 3, '--cfg-options', 'max_epochs=1'
    )
    assert code == 0, err
    assert '[4/4] tiny_pointcmt: trains' in out and 'OA val-best' in out
    assert 'ain from distillation' in out or 'Distillation gained' in out
    assert (tiny_configs.parent / 'work_dirs/tiny_pointcmt/curves.png').is_file()
    assert 'student_last.pth' in out and 'tools/test.py' in out

    code, out, err = command(
        'test', leaf, 'work_dirs/tiny_pointcmt/last.pth', '--votes', 3, '--out', 'predictions.json'
    )
    assert code == 0, err
    assert '| plain' in out and '| voted' in out
    predictions = json.loads((tiny_configs.parent / 'predictions.json').read_text())['predictions']
    assert len(predictions) == 24
    plain = out.split('| plain')[1].split('|')[1].strip()

    code, out, err = command('test', leaf, 'work_dirs/tiny_pointcmt/last.pth', '--votes', 1)
    assert code == 2 and '--votes is 1' in err
    code, out, err = command('test', leaf, 'work_dirs/tiny_pointcmt/student_last.pth')
    assert (
        code == 0
        and out.split('| plain')[1].split('|')[1].strip() == plain
        and '| voted' not in out
    )
    assert (tiny_configs.parent / 'work_dirs/tiny_pointcmt/test/confusion_matrix.png').is_file()

    code, out, err = command(
        'test',
        tiny_configs / 'tiny_generator.py',
        'work_dirs/tiny_generator/last.pth',
        '--cfg-options',
        'max_epochs=1',
    )
    assert code == 0 and 'emd: ' in out, err


def test_a_checkpoint_that_does_not_fit_is_an_error(tiny_configs, command):
    code, out, err = command(
        'train', tiny_configs / 'tiny_teacher.py', '--cfg-options', 'max_epochs=1'
    )
    assert code == 0, err
    code, out, err = command(
        'test', tiny_configs / 'tiny_pointcmt.py', 'work_dirs/tiny_teacher/last.pth'
    )
    assert code == 1 and 'backbone.' in err and err.startswith('error: ')
    code, out, err = command(
        'test', tiny_configs / 'tiny_teacher.py', 'work_dirs/tiny_teacher/nothing.pth'
    )
    assert code == 1 and 'nothing.pth' in err


def test_dry_run_trains_nothing(tiny_configs, command):
    code, out, err = command('train', tiny_configs / 'tiny_pointcmt.py', '--dry-run')
    assert code == 0 and [line.split()[1] for line in out.splitlines()[:3]] == [
        'teacher:',
        'generator:',
        'tiny_pointcmt:',
    ]
    assert 'nothing was trained' in out
    assert not (tiny_configs.parent / 'work_dirs').exists()


def test_switches_reach_the_config(tiny_configs, command):
    code, out, err = command(
        'train',
        tiny_configs / 'tiny_teacher.py',
        '--amp',
        '--no-validate',
        '--cfg-options',
        'max_epochs=1',
    )
    assert code == 0, err
    dumped = (tiny_configs.parent / 'work_dirs/tiny_teacher/tiny_teacher.py').read_text()
    assert 'AmpOptimWrapper' in dumped and 'val_dataloader=None' in dumped
    assert not (tiny_configs.parent / 'work_dirs/tiny_teacher/best.pth').exists()
    code, out, err = command(
        'test',
        tiny_configs / 'tiny_teacher.py',
        'work_dirs/tiny_teacher/last.pth',
        '--amp',
        '--seed',
        1,
        '--work-dir',
        'tested',
    )
    assert code == 0 and (tiny_configs.parent / 'tested').is_dir(), err
    code, out, err = command('train', tiny_configs / 'tiny_teacher.py', '--auto-scale-lr')
    assert code == 1 and 'base_batch_size' in err


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--cfg-options', 'modle.type=x'], "'model'"),
        (['--stage-options', 'teacher.max_epoch=1'], "'max_epochs'"),
        (['--retrain', 'techer'], "'teacher'"),
    ],
)
def test_mistakes_on_the_command_line(tiny_configs, command, arguments, words):
    code, out, err = command('train', tiny_configs / 'tiny_pointcmt.py', *arguments)
    assert code == 1 and err.startswith('error: ') and words in err


def test_missing_data_is_one_message(tiny_configs, command, monkeypatch):
    def load_records(self):
        raise DataError('data/x.h5', 'no such file', 'a file', 'download it')

    from pcdet_kd.registry import DATASETS

    monkeypatch.setattr(DATASETS.get('TinyClouds'), 'load_records', load_records)
    assert issubclass(DATASETS.get('TinyClouds'), PointCloudDataset)
    code, out, err = command('train', tiny_configs / 'tiny_pointcmt.py')
    assert code == 1 and err.count('\n') == 4 and 'fix:      download it' in err


def test_training_starts_from_a_backbone(tiny_configs, command):
    path = tiny_configs / 'tiny_plain.py'
    path.write_text("_base_ = 'tiny_base.py'\nmax_epochs = 1\nmodel = _base_.student\n")
    code, out, err = command('train', path, '--work-dir', 'first')
    assert code == 0, err
    code, out, err = command('train', path, '--load-backbone', 'first/last.pth')
    assert code == 0, err
    log = next((tiny_configs.parent / 'work_dirs/tiny_plain').glob('2*/*.log')).read_text()
    assert 'PointNet starts from the backbone of the classifier in first/last.pth' in log
    wider = ['--cfg-options', 'model.backbone.global_channels=(17,)']
    code, out, err = command(
        'train', path, '--work-dir', 'other', '--load-backbone', 'first/last.pth', *wider
    )
    assert code == 1 and 'first/last.pth does not fit PointNet' in err, err


def test_part_segmentation_from_a_config_to_tables(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    config = Path(__file__).parents[2] / 'configs/partseg/pointnet2_syntheticscans.py'
    options = ('num_train=45', 'num_test=15', 'num_points=64', 'batch_size=4', 'max_epochs=1')
    code, out, err = command('train', config, '--work-dir', 'run', '--cfg-options', *options)
    assert code == 0, err
    assert 'instance mIoU last' in out and 'class mIoU val-best' in out and 'OA' not in out
    assert '--votes 10' in out
    code, out, err = command(
        *(
            'test',
            config,
            'run/last.pth',
            '--work-dir',
            'tested',
            '--votes',
            2,
            '--out',
            'ious.json',
        ),
        '--cfg-options',
        *options,
    )
    assert code == 0, err
    assert '| voted' in out and 'class mIoU' in out and 'confusion matrix' not in out
    assert len(json.loads((tmp_path / 'ious.json').read_text())['shapes']) == 15
    assert 'seat' in next((tmp_path / 'tested').rglob('*.log')).read_text()
