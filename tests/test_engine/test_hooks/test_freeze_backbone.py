import json
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from pcdet_kd.engine.hooks import FreezeBackboneHook
from pcdet_kd.registry import MODEL_WRAPPERS

MODEL = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet', local_channels=(8,), global_channels=(8,)),
    head=dict(type='MLPHead', num_classes=2, hidden_channels=(8,)),
)
DECAYING = dict(optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.5))


class Watch(Hook):
    """Notes after each epoch the backbone's weights, statistics included, its mode and the
    optimiser's states.
    """

    priority = 'VERY_LOW'

    def __init__(self):
        self.weights, self.modes, self.states = [], [], []

    def before_train(self, runner):
        self.after_train_epoch(runner)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        model = runner.model
        self.modes.append(
            (any(m.training for m in model.backbone.modules()), model.head.fc.training)
        )

    def after_train_epoch(self, runner):
        values = [v.double().flatten() for v in runner.model.backbone.state_dict().values()]
        self.weights.append(torch.cat(values))
        self.states.append(len(runner.optim_wrapper.optimizer.state))


def train(runner_of, epochs, **options):
    watch = Watch()
    cfg = dict(model=MODEL, optim_wrapper=DECAYING, epochs=3) | options
    runner = runner_of(hooks=[watch], custom_hooks=[dict(type='FreezeBackboneHook', epochs=epochs)], **cfg)  # fmt: skip  # noqa: E501
    runner.train()
    return runner, watch


def test_nothing_of_a_frozen_backbone_changes(runner_of):
    runner, watch = train(runner_of, None)
    assert all(torch.equal(w, watch.weights[0]) for w in watch.weights), 'decay and statistics too'
    assert watch.modes == [(False, True)] * 9, 'also after a validation'
    of_head = len(list(runner.model.head.parameters()))
    assert watch.states == [0] + [of_head] * 3
    assert all(p.grad is None for p in runner.model.backbone.parameters())


def test_it_trains_after_the_first_epochs(runner_of, tmp_path):
    _, watch = train(runner_of, 2, work_dir=tmp_path / 'whole')
    same = [torch.equal(w, watch.weights[0]) for w in watch.weights]
    assert same == [True, True, True, False]
    assert watch.modes == [(False, True)] * 6 + [(True, True)] * 3

    for at in (4, 7):  # resumed in the second frozen epoch, and in the first that trains
        work_dir = tmp_path / f'parts_{at}'
        act = dict(type='ActHook', at=at, act='raise')
        freeze = dict(type='FreezeBackboneHook', epochs=2)
        cfg = dict(model=MODEL, optim_wrapper=DECAYING, epochs=3, work_dir=work_dir)
        with pytest.raises(TypeError, match='a bug'):
            runner_of(custom_hooks=[freeze, act], **cfg).train()
        _, again = train(runner_of, 2, work_dir=work_dir, resume=True)
        assert torch.equal(again.weights[-1], watch.weights[-1])


def test_what_was_frozen_before_stays_so(runner_of):
    runner = runner_of(
        custom_hooks=[dict(type='FreezeBackboneHook', epochs=1)], model=MODEL, epochs=2
    )
    first = next(runner.model.backbone.parameters()).requires_grad_(False)
    runner.train()
    trained = [p for p in runner.model.backbone.parameters() if p.requires_grad]
    assert (
        not first.requires_grad and len(trained) == len([*runner.model.backbone.parameters()]) - 1
    )


def test_mistakes_are_told_before_training(runner_of):
    with pytest.raises(ValueError, match='epochs is 0'):
        FreezeBackboneHook(0)
    with pytest.raises(ValueError, match='ToyModel has no backbone'):
        train(runner_of, 1, model=dict(type='ToyModel'))
    runner = runner_of(custom_hooks=[dict(type='FreezeBackboneHook')], model=MODEL)
    runner.model.head.requires_grad_(False)
    with pytest.raises(ValueError, match='nothing but the backbone'):
        runner.train()


def test_another_wrapper_is_refused(runner_of):
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    runner = runner_of(model=MODEL)
    MODEL_WRAPPERS.register_module(module=Wrapper)
    try:
        runner.model = Wrapper(runner.model)
        with pytest.raises(ValueError, match='wrapped in Wrapper, expected none or Distr'):
            FreezeBackboneHook().before_train(runner)
    finally:
        MODEL_WRAPPERS._module_dict.pop('Wrapper')


SCRIPT = """
import json, os, sys
import torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[2])
import pcdet_kd_toy as toy
from pcdet_kd.engine import PointRunner
out, rank, model = sys.argv[1], os.environ['RANK'], json.loads(sys.argv[3])
found = {}

def run(name, epochs, frozen, act=(), **options):
    freeze = dict(type='FreezeBackboneHook', epochs=frozen)
    cfg = toy.toy_config(f'{out}/{name}', epochs=epochs, launcher='pytorch', model=model,
                         custom_hooks=[freeze, *act], val_size=8, **options)
    runner = PointRunner.from_cfg(cfg)
    first = [p.clone() for p in runner.model.module.backbone.parameters()]
    try:
        runner.train()
    except TypeError:
        return
    now = list(runner.model.module.backbone.parameters())
    found[name] = [all(torch.equal(a, b) for a, b in zip(first, now)),
                   runner.model.module.head.fc.weight.double().sum().item(),
                   sum(p.double().sum().item() for p in now)]

data = dict(type='ToyDataset', pipeline=[dict(type='ToyPack')])
probe = dict(type='FeatureProbeHook', interval=1, train=data, test=data, methods=['knn'])
run('always', 2, None, [probe])
run('unprobed', 2, None)
run('whole', 3, 1)
run('parts', 3, 1, [dict(type='ActHook', at=4, act='raise')])
run('parts', 3, 1, resume=True)
with open(f'{out}/found_{rank}.json', 'w') as file:
    json.dump(found, file)
"""


@pytest.mark.xdist_group('two_processes')
def test_two_processes(two_processes, tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(SCRIPT)
    two_processes(tmp_path, script, tmp_path, Path(__file__).parents[1], json.dumps(MODEL))
    found = [json.loads((tmp_path / f'found_{rank}.json').read_text()) for rank in range(2)]
    assert found[0] == found[1], 'the gradients are averaged in both'
    assert found[0]['always'] == found[0]['unprobed'], 'a probe changes nothing'
    assert found[0]['always'][0] and not found[0]['whole'][0]
    assert found[0]['parts'][1:] == found[0]['whole'][1:]
