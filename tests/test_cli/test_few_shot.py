import argparse
import json
from pathlib import Path

import pytest

from pcdet_kd.cli.few_shot import number_or_all

TASK = """
_base_ = 'tiny_base.py'
way = 2
shot = 5
fold = 0
max_epochs = 1
data = dict(_delete_=True, type='FewShotFold', dataset=dict(type='TinyClouds'), way=way, shot=shot,
            fold=fold, test_per_class=3)
val_dataloader = val_evaluator = val_cfg = None
default_hooks = dict(checkpoint=dict(save_best=None, rule=None))
model = _base_.student
model.head.pop('num_classes')
"""


@pytest.fixture
def config(tiny_configs):
    path = tiny_configs / 'tiny_task.py'
    path.write_text(TASK)
    return path


def test_trained(config, command):
    tasks = ['--way', 2, '--shot', 5, '--folds', 2]
    code, out, err = command('few_shot', config, *tasks, '--seed', 2)
    assert code == 0, err
    assert '2 way, 5 shot, 2 tasks' in out and '| trained, last epoch |' in out
    assert out.count('trains in') == 2
    found = json.loads((config.parents[1] / 'work_dirs/tiny_task/2way_5shot.json').read_text())
    assert found['seed'] == 2 and f'{found["summary"]["last"]["mean"]:.2f}' in out
    code, out, err = command('few_shot', config, *tasks, '--seed', 2)
    assert code == 0 and out.count('finished before, reused') == 2


def test_frozen(config, command):
    arguments = ['--way', 'all', '--shot', 4, '--folds', 2, '--frozen', '--methods', 'knn']
    code, out, err = command('few_shot', config, *arguments, '--work-dir', 'there')
    assert code == 0, err
    assert 'all way, 4 shot, 2 tasks' in out and '| 5 nearest neighbours |' in out
    found = json.loads(Path('there/allway_4shot_frozen.json').read_text())
    assert len(found['accuracy']['knn']) == 2 and found['way'] is None


def test_numbers():
    assert number_or_all('all') is None and number_or_all('5') == 5
    with pytest.raises(argparse.ArgumentTypeError):
        number_or_all('0')
