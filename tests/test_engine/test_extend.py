"""A finished run that is trained for more epochs."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from pcdet_kd.apis import train
from pcdet_kd.engine.extend import epochs_before
from pcdet_kd.engine.pipeline import StaleStageError
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.checkpoint import load_checkpoint_file

LEAF = """
_base_ = 'tiny_base.py'
model = _base_.student
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=5),
    dict(type='CosineAnnealingLR', T_max=_base_.max_epochs),
]
custom_hooks = [dict(type='RateHook')]
"""


class Killed(Exception):
    pass


@HOOKS.register_module(force=True)
class RateHook(Hook):
    """Notes the learning rate of each batch, and kills a run at one."""

    rates: dict = {}
    kill_at = None

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.kill_at:
            raise Killed
        type(self).rates[runner.iter] = runner.optim_wrapper.get_lr()['lr'][0]


@pytest.fixture
def leaf(tiny_configs):
    RateHook.rates, RateHook.kill_at = {}, None
    file = tiny_configs / 'leaf.py'
    file.write_text(LEAF)
    return file


def rates(config, epochs, work_dir, **kwargs):
    RateHook.rates = {}
    train(config, dict(max_epochs=epochs), work_dir=work_dir, **kwargs)
    return RateHook.rates


def end(work_dir):
    return load_checkpoint_file(Path(work_dir) / 'last.pth')


def same(a, b):
    return all(torch.equal(v, b['state_dict'][k]) for k, v in a['state_dict'].items())


def test_the_rest_has_the_new_schedule(leaf):
    whole = rates(leaf, 4, 'whole')
    first = rates(leaf, 2, 'run')
    assert first[5] != whole[5] and max(first) == 5
    rest = rates(leaf, 4, 'run', extend=['leaf'])
    assert rest == {i: pytest.approx(whole[i], rel=1e-12) for i in range(6, 12)}
    record = StageRecord.read(Path('run'))
    assert record.finished and record.extended_at == 2
    assert end('run')['meta']['epoch'] == 4
    assert rates(leaf, 4, 'run', extend=['leaf']) == {}, 'finished: nothing is trained again'


def test_killed_while_it_goes_on(leaf):
    rates(leaf, 2, 'whole')
    rates(leaf, 4, 'whole', extend=['leaf'])
    rates(leaf, 2, 'run')
    for kill_at in (7, 10):  # before the first checkpoint of the rest, and after it
        RateHook.kill_at = kill_at
        with pytest.raises(Killed):
            rates(leaf, 4, 'run', extend=['leaf'] if kill_at == 7 else [])
    RateHook.kill_at = None
    rates(leaf, 4, 'run')
    assert same(end('run'), end('whole'))


def test_other_changes_are_refused(leaf):
    rates(leaf, 2, 'run')
    with pytest.raises(StaleStageError, match='train it on from epoch 2 with --extend leaf'):
        rates(leaf, 3, 'run')
    options = {'max_epochs': 3, 'optim_wrapper.optimizer.lr': 0.02}
    with pytest.raises(StaleStageError) as error:
        train(leaf, options, work_dir='run', extend=['leaf'])
    assert '--extend' not in str(error.value)
    assert json.loads(Path('run/stage.json').read_text())['finished']


@pytest.mark.parametrize(
    ('change', 'epochs'),
    [
        ({'train_cfg.max_epochs': '9'}, 5),
        ({'train_cfg.max_epochs': '9', 'param_scheduler.T_max': '9'}, 5),
        ({'train_cfg.max_epochs': '4'}, 0),
        ({'train_cfg.max_epochs': '9', 'model.type': 'B'}, 0),
        ({'train_cfg.max_epochs': '9', 'param_scheduler.type': 'ReduceOnPlateauLR'}, 0),
    ],
)
def test_what_can_go_on(change, epochs):
    old = {'train_cfg.max_epochs': '5', 'param_scheduler.T_max': '5', 'model.type': 'A'}
    found = StageRecord(old, data='d', finished=True)
    wanted = StageRecord({**old, **change}, data='d')
    assert epochs_before(found, wanted) == epochs
    assert epochs_before(found, StageRecord({**old, **change}, data='e')) == 0
    found.finished = False
    assert epochs_before(found, wanted) == 0
