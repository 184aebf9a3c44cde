import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from mmengine.config import Config

from pcdet_kd.apis.test import short_path
from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.engine.config import load_config
from pcdet_kd.registry import MODELS
from pcdet_kd.robustness.results import SuiteResult
from pcdet_kd.robustness.suite_data import suite_pipeline
from pcdet_kd.utils.checkpoint import save_checkpoint_file
from pcdet_kd.utils.files import file_sha256

ROOT = Path(__file__).parents[2]
_STUDENT = """
_base_ = 'tiny_base.py'
model = _base_.student
eval_pipeline = [dict(type='FirstPoints', num_points=8), dict(type='UnitSphere'), dict(type='PackPointInputs')]
test_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
"""  # noqa: E501


@pytest.fixture
def student(tiny_configs):
    """Config of a tiny student that samples and normalises in its test, and a checkpoint."""
    config = tiny_configs / 'tiny_student.py'
    config.write_text(_STUDENT)
    save_checkpoint_file(
        dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), 'student.pth'
    )
    return config, 'student.pth'


def folder_of(out):
    return out.split('predictions: ')[1].splitlines()[0]


@pytest.mark.parametrize(
    'leaf', sorted((ROOT / 'configs/corruptions').glob('*.py')), ids=lambda p: p.stem
)
def test_shipped_configs_name_their_suite(leaf):
    cfg = load_config(leaf, dict(corruptions_root='elsewhere'))
    suite = {'modelnet40c': 'modelnet40-c', 'modelnetc': 'modelnet-c'}[leaf.stem.split('_')[-1]]
    assert cfg.corruptions == dict(suite=suite, data_root='elsewhere', renormalize='none')
    assert load_config(leaf).corruptions.data_root == SUITES[suite].root
    plain = ROOT / f'configs/baseline/{leaf.stem.rsplit("_", 1)[0]}_modelnet40.py'
    assert cfg.model == load_config(plain).model
    assert suite_pipeline(cfg.test_dataloader.dataset.pipeline) == (
        [dict(type='PackPointInputs')],
        ['FirstPoints(num_points=1024)'],
    )


@pytest.mark.parametrize('suite, sets', [('modelnet-c', 36), ('modelnet40-c', 76)])
def test_a_suite_on_any_config(student, command, write_suite, suite, sets):
    root = write_suite(suite, marked=True)
    code, out, err = command(
        'test', *student, '--corruptions', suite, '--corruptions-root', root, '--report', 'report'
    )
    assert code == 0, err
    table = SUITES[suite]
    assert (
        all(name.replace('_', ' ') in out for name in table.corruptions)
        and 'not the official files' in out
    )
    result = SuiteResult.read(folder_of(out))
    assert len(result.sets) == sets and result.info['run']['config'].endswith('tiny_student.py')
    assert (
        'left out of the config: FirstPoints(num_points=8), UnitSphere()'
        in result.info['protocol']['transforms']
    )
    last = result.sets[list(table.corruptions)[-1], table.severities[-1]]
    assert (last.num_points == 16).all()  # all points, whatever the config samples
    report = json.loads(Path('report/report.json').read_text())
    assert report['generated'] and len(report['corruptions']) == len(table.corruptions)
    assert {p.name for p in Path('report').iterdir()} == {
        'report.html',
        'report.json',
        'report.md',
        'report.tex',
    }
    code, again, err = command('test', *student, '--corruptions', suite, '--corruptions-root', root)
    assert (
        code == 0
        and folder_of(again) == folder_of(out)
        and f'all {sets} sets were evaluated before' in again + err
    )


def test_other_weights_under_the_same_name_are_another_evaluation(student, command, write_suite):
    options, folders = (
        ['--corruptions', 'modelnet-c', '--corruptions-root', write_suite('modelnet-c')],
        [],
    )
    for _ in range(2):
        save_checkpoint_file(
            dict(state_dict=MODELS.build(Config.fromfile(student[0]).model).state_dict()),
            student[1],
        )
        code, out, err = command('test', *student, *options)
        assert code == 0, err
        folders.append(folder_of(out))
        assert SuiteResult.read(folders[-1]).info['run']['sha256'] == file_sha256(student[1])
    assert folders[0] != folders[1]


def test_a_config_names_its_suite(student, command, write_suite):
    root = write_suite('modelnet-c')
    config = student[0].with_name('leaf.py')
    config.write_text(
        f"_base_ = ['tiny_student.py', {str(ROOT / 'configs/_base_/datasets/modelnetc.py')!r}]\n"
        f'corruptions = dict(data_root={str(root)!r})\n'
    )
    code, out, err = command('test', config, student[1], '--renormalize', 'sphere')
    assert code == 0, err
    result = SuiteResult.read(folder_of(out))
    assert (
        result.info['renormalize'] == 'sphere'
        and 'not the official protocol' in result.info['protocol']['normalisation']
    )
    norms = np.linalg.norm(result.sets['add_local', 4].clouds[0], axis=1)
    assert norms.max() == pytest.approx(1)
    code, out, err = command(
        'test', config, student[1], '--corruptions', 'modelnet40-c'
    )  # the other suite, at its own place
    assert code == 1 and 'data/modelnet40_c' in err
    config.write_text(config.read_text().replace('data_root', 'dataroot'))
    code, out, err = command('test', config, student[1])
    assert code == 1 and "corruptions.dataroot: unknown key. Did you mean 'data_root'?" in err
    config.write_text("_base_ = 'tiny_student.py'\ncorruptions = dict(suite='modelnetc')\n")
    code, out, err = command('test', config, student[1])
    assert (
        code == 1
        and "corruptions.suite: 'modelnetc' is not a suite. Did you mean 'modelnet-c'" in err
    )


@pytest.mark.parametrize(
    'options, words',
    [
        (['--corruptions', 'modelnet-c', '--votes', 3], 'single pass'),
        (['--corruptions', 'modelnet-c', '--tta'], 'single pass'),
        (['--corruptions', 'modelnet-c', '--out', 'x.json'], '--out'),
        (['--report', 'x'], 'needs a suite'),
        (['--corruptions-root', 'x'], '--corruptions-root'),
        (['--renormalize', 'none'], '--renormalize'),
    ],
)
def test_options_that_contradict_each_other(student, command, options, words):
    code, out, err = command('test', *student, *options)
    assert code == 1 and err.startswith('error: command line') and words in err


def test_damaged_and_foreign_files_are_one_message(student, command, write_suite):
    root, other = write_suite('modelnet40-c'), write_suite('modelnet-c')

    def refused(suite, directory):
        code, out, err = command(
            'test', *student, '--corruptions', suite, '--corruptions-root', directory
        )
        assert (
            code == 1 and not Path('work_dirs/tiny_student/test', suite).exists()
        )  # nothing was evaluated
        return err.split('error: ')[1]

    (root / 'data_shear_5.npy').write_bytes((root / 'data_shear_5.npy').read_bytes()[:300])
    message = refused('modelnet40-c', root)
    assert 'data_shear_5.npy' in message and 'found:' in message and 'fix:' in message
    np.save(root / 'data_shear_5.npy', np.zeros((11, 16, 3), np.float32))
    assert '11 clouds' in refused('modelnet40-c', root)
    with h5py.File(other / 'rotate_1.h5', 'r+') as h5:
        points = h5['data'][:-1]
        del h5['data']
        h5['data'] = points
    message = refused('modelnet-c', other)
    assert 'rotate_1.h5' in message and '11' in message
    assert 'these are files of ModelNet40-C' in refused('modelnet-c', root)
    assert 'these are files of ModelNet-C' in refused('modelnet40-c', other)


def test_a_stopped_command_says_how_it_goes_on(student, command, write_suite, monkeypatch):
    from pcdet_kd.robustness.loop import SetPredictions

    root, whole = write_suite('modelnet-c'), SetPredictions.compute_metrics

    def compute_metrics(self, results):
        if self.name[0] == 'rotate':
            raise KeyboardInterrupt
        return whole(self, results)

    monkeypatch.setattr(SetPredictions, 'compute_metrics', compute_metrics)
    options = [*student, '--corruptions', 'modelnet-c', '--corruptions-root', root]
    code, out, err = command('test', *options)
    assert code == 130 and 'Stopped by SIGINT' in err, err
    monkeypatch.undo()
    monkeypatch.chdir(student[0].parents[1])
    code, out, err = command('test', *options)
    assert code == 0 and 'resumes after 11 of 36 sets' in out + err


def test_two_processes_find_what_one_finds(student, command, write_suite, two_processes):
    root = write_suite('modelnet-c', count=13)
    options = ['--corruptions', 'modelnet-c', '--corruptions-root', str(root)]
    code, out, err = command('test', *student, *options, '--work-dir', 'one')
    assert code == 0, err
    alone = SuiteResult.read(folder_of(out))
    script = Path('run.py')
    script.write_text(
        'import importlib.util, sys\n'
        'spec = importlib.util.spec_from_file_location("conftest", '
        f'{str(ROOT / "tests/conftest.py")!r})\n'
        # registers the tiny data set
        'spec.loader.exec_module(importlib.util.module_from_spec(spec))\n'
        'from pcdet_kd.cli.test import main\nraise SystemExit(main())\n'
    )
    out, silent = two_processes(
        Path.cwd(), script, *student, *options, '--work-dir', 'two', '--launcher', 'pytorch'
    )
    both = SuiteResult.read(folder_of(out))
    assert (
        out.count('predictions: ') == 1
        and 'predictions: ' not in silent
        and both.folder.name == alone.folder.name
    )
    for name, found in alone.sets.items():
        assert np.array_equal(found.gt, both.sets[name].gt) and np.array_equal(
            found.pred, both.sets[name].pred
        )
        assert np.allclose(found.true_score, both.sets[name].true_score, atol=1e-6)


def test_reports_on_several_models(student, command, write_suite):
    root = write_suite('modelnet-c')
    folders, cfg = [], Config.fromfile(student[0])
    for number in range(3):
        save_checkpoint_file(
            dict(state_dict=MODELS.build(cfg.model).state_dict()), f'run{number}.pth'
        )
        code, out, err = command(
            'test',
            student[0],
            f'run{number}.pth',
            '--corruptions',
            'modelnet-c',
            '--corruptions-root',
            root,
        )
        assert code == 0, err
        folders.append(folder_of(out))
    code, out, err = command(
        'robustness_report', f'two={folders[0]},{folders[1]}', folders[2], '--out', 'report'
    )
    assert code == 0, err
    report = json.loads(Path('report/report.json').read_text())
    assert [model['name'] for model in report['models']] == ['two', 'tiny_student']
    assert (
        len(report['models'][0]['runs']) == 2
        and len(report['comparisons']) == 1
        and 'tiny_student minus two' in out
    )
    code, out, err = command('robustness_report', *folders[:2], '--out', 'report')
    assert code == 0 and f'tiny_student ({Path(folders[1]).name})' in out
    code, out, err = command(
        'robustness_report', f'a={folders[0]}', f'a={folders[1]}', '--out', 'report'
    )
    assert code == 1 and "two models are called 'a'" in err
    code, out, err = command('robustness_report', 'a=', '--out', 'report')
    assert code == 1 and 'at least one folder' in err
    code, out, err = command('robustness_report', 'nothing', '--out', 'report')
    assert code == 1 and 'no run.json' in err


def test_paths_of_this_machine_stay_here():
    assert (
        short_path('configs/a.py') == 'configs/a.py'
        and short_path('/data/someone/runs/a/last.pth') == 'a/last.pth'
    )
