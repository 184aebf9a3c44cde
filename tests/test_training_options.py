"""The blocks of docs/en/training_options.md, run as they stand."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from pcdet_kd.apis import train
from pcdet_kd.utils.checkpoint import load_checkpoint_file

PAGE = Path(__file__).parents[1] / 'docs/en/training_options.md'
BLOCKS = re.findall(r'```python\n(.*?)```', PAGE.read_text(), re.DOTALL)
(EMA,) = [block for block in BLOCKS if 'EMAHook' in block]
(STOP,) = [block for block in BLOCKS if 'EarlyStopping' in block]
MADE = {'Tensorboard': '*tfevents*', 'Wandb': 'offline-run*', 'MLflow': 'mlruns.db'}
NEEDS = {'Tensorboard': 'tensorboard', 'Wandb': 'wandb', 'MLflow': 'mlflow'}


def leaf_with(folder, block):
    leaf = folder / 'leaf.py'
    leaf.write_text(f"_base_ = 'tiny_base.py'\nmodel = _base_.student\n{block}")
    return leaf


@pytest.mark.parametrize('number', range(len(BLOCKS)))
@pytest.mark.filterwarnings('ignore')  # of the trackers' packages
def test_a_block_trains(number, tiny_configs):
    block = BLOCKS[number]
    for name, package in NEEDS.items():
        if name in block and find_spec(package) is None:
            pytest.skip(f'{package} is not installed')
    result = train(leaf_with(tiny_configs, block), work_dir='run')
    assert result.metrics['last']['accuracy'] >= 0
    for name, made in MADE.items():
        assert name not in block or len(list(Path().rglob(made))) == 1, 'one run for each'


def test_the_average_is_what_is_tested_and_exported(tiny_configs):
    train(leaf_with(tiny_configs, EMA), work_dir='run')
    last = load_checkpoint_file('run/last.pth')
    average, trained = last['state_dict'], last['ema_state_dict']
    assert any(not torch.equal(v, trained[f'module.{k}']) for k, v in average.items())
    train(leaf_with(tiny_configs, 'max_epochs = 4\n' + EMA), work_dir='whole')
    train(leaf_with(tiny_configs, 'max_epochs = 4\n' + EMA), work_dir='run', extend=['leaf'])
    whole, run = (
        load_checkpoint_file(f'{name}/last.pth')['state_dict'] for name in ('whole', 'run')
    )
    assert all(torch.equal(v, run[k]) for k, v in whole.items()), 'no schedule: the same training'


def test_a_run_that_stops_early_is_finished(tiny_configs):
    block = STOP.replace('patience=20', 'patience=1').replace('min_delta=0.1', 'min_delta=101')
    leaf = leaf_with(tiny_configs, f'max_epochs = 6\n{block}')
    said = []
    first = train(leaf, work_dir='run', say=said.append)
    assert load_checkpoint_file('run/last.pth')['meta']['epoch'] == 2
    again = train(leaf, work_dir='run', say=said.append)
    assert 'finished before, reused' in said[-1] and again.metrics == first.metrics
