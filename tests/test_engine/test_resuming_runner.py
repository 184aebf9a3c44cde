import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapperDict
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS, PARAM_SCHEDULERS

from pcdet_kd.engine import PointRunner
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.preflight import check_optimizer
from pcdet_kd.engine.resuming_runner import scheduler_state
from pcdet_kd.utils.checkpoint import CheckpointError, load_checkpoint_file, save_checkpoint_file


@pytest.fixture
def trained(runner_of, tmp_path):
    """A work directory with one finished epoch."""
    runner_of(epochs=1).train()
    return tmp_path


def test_mismatch_is_an_error(runner_of, trained, toy):
    runner = runner_of(model=dict(type='ToyModel', width=5), load_from=str(trained / 'last.pth'))
    with pytest.raises(CheckpointError, match=r'net\.0\.weight: file \(4, 3\), model \(5, 3\)'):
        runner.train()
    test = toy.toy_config(
        trained, model=dict(type='ToyModel', width=5), load_from=str(trained / 'last.pth')
    )
    test.test_dataloader, test.test_evaluator, test.test_cfg = (
        test.val_dataloader,
        test.val_evaluator,
        {},
    )
    with pytest.raises(CheckpointError, match='does not fit ToyModel'):
        PointRunner.from_cfg(test).test()


@pytest.mark.parametrize('resume', [False, True])
def test_a_file_that_holds_no_checkpoint_is_named(runner_of, trained, resume):
    file = trained / 'mine.pth'
    arguments = dict(load_from=str(file), resume=resume)
    save_checkpoint_file([1], file)
    with pytest.raises(CheckpointError, match=r'mine\.pth holds no weights: it is a list'):
        runner_of(trained / 'b', **arguments).train()
    checkpoint = load_checkpoint_file(trained / 'last.pth')
    save_checkpoint_file(dict(checkpoint, meta=[1]), file)
    with pytest.raises(CheckpointError, match=r'mine\.pth.*meta'):
        runner_of(trained / 'b', **arguments).train()


def test_plain_state_dict_loads_but_does_not_resume(runner_of, trained):
    state = load_checkpoint_file(trained / 'last.pth')['state_dict']
    save_checkpoint_file(state, trained / 'plain.pth')
    runner_of(
        trained / 'a',
        epochs=1,
        load_from=str(trained / 'plain.pth'),
        custom_hooks=[dict(type='mmengine.EMAHook')],
    ).train()
    with pytest.raises(CheckpointError, match=r'plain\.pth holds weights only .*load_from'):
        runner_of(trained / 'b', load_from=str(trained / 'plain.pth'), resume=True).train()


def test_ema_trains_and_resumes(runner_of, tmp_path):
    hook = dict(custom_hooks=[dict(type='EMAHook')])
    runner_of(epochs=1, **hook).train()
    runner = runner_of(epochs=2, resume=True, **hook)
    runner.train()
    assert runner.epoch == 2


def test_resume_runs_no_code_of_the_checkpoint(runner_of, trained):
    checkpoint = load_checkpoint_file(trained / 'epoch_1.pth')
    checkpoint['meta']['config'] = f'import os\nos.mkdir("{trained}/code_ran")\na = 1'
    save_checkpoint_file(checkpoint, trained / 'epoch_1.pth')
    runner_of(epochs=2, resume=True).train()
    assert not (trained / 'code_ran').exists()


def logged(work_dir):
    return ''.join(p.read_text() for p in work_dir.rglob('*.log'))


def test_finished_run_says_so(runner_of, trained):
    runner_of(epochs=1, resume=True, log_level='INFO').train()
    assert 'already complete (1/1 epochs)' in logged(trained)


@pytest.mark.parametrize('changed', [False, True])
def test_only_other_metainfo_is_told(runner_of, toy, tmp_path, monkeypatch, changed):
    meta = dict(toy.ToyDataset.METAINFO, scale=np.float64(1.5))
    monkeypatch.setattr(toy.ToyDataset, 'METAINFO', meta)
    runner_of(epochs=1).train()
    if changed:
        monkeypatch.setitem(meta, 'scale', 2.5)
    runner_of(epochs=2, resume=True).train()
    assert (
        'dataset metainfo from the resumed checkpoint is different' in logged(tmp_path)
    ) == changed


def test_nothing_to_resume_starts_afresh_and_says_so(runner_of, tmp_path):
    (tmp_path / 'epoch_7.pth').write_bytes(b'')
    runner = runner_of(epochs=1, resume=True, log_level='INFO')
    runner.train()
    assert runner.epoch == 1
    assert 'holds no whole checkpoint, starting from the first epoch' in logged(tmp_path)
    assert 'epoch_7.pth is skipped: it is empty' in logged(tmp_path)


def test_resume_auto_prefers_the_work_directory_to_load_from(runner_of, trained, tmp_path):
    state = load_checkpoint_file(trained / 'last.pth')['state_dict']
    save_checkpoint_file(state, trained / 'plain.pth')
    fresh = runner_of(
        trained / 'new', epochs=1, load_from=str(trained / 'plain.pth'), resume='auto'
    )
    fresh.train()
    assert fresh.epoch == 1
    again = runner_of(
        trained / 'new', epochs=2, load_from=str(trained / 'plain.pth'), resume='auto'
    )
    again.train()
    assert again.iter == 6  # three of them before
    with pytest.raises(ValueError, match="'latest'"):
        runner_of(resume='latest')


def test_a_checkpoint_is_resumed_from_the_cpu(runner_of, trained, monkeypatch):
    """On a GPU MMEngine's default would put the histories there, which are NumPy arrays."""
    runner = runner_of(epochs=2, resume=True)
    monkeypatch.setattr('mmengine.runner.runner.get_device', lambda: 'meta')
    runner.train()
    assert runner.epoch == 2 and all(p.isfinite().all() for p in runner.model.parameters())


class Run:
    """A linear layer with an optimiser and a scheduler; what it saves goes through a file."""

    def __init__(self, optimizer, scheduler=None, wrapper='OptimWrapper', several=False, **options):
        torch.manual_seed(0)
        self.net = torch.nn.Linear(3, 2, bias=False)
        groups = [dict(params=[w]) for w in self.net.parameters()]
        if several:  # a parameter of its own, which gets no gradient
            groups.append(dict(params=[torch.nn.Parameter(torch.ones(2, 2))], lr=0.5))
        built = OPTIMIZERS.build(dict(optimizer, params=groups))
        self.optimizer = OPTIM_WRAPPERS.build(dict(type=wrapper, optimizer=built, **options))
        self.scheduler = (
            PARAM_SCHEDULERS.build(dict(scheduler, optimizer=self.optimizer)) if scheduler else None
        )

    def steps(self, first, last):
        for i in range(first, last):
            torch.manual_seed(i)
            with self.optimizer.optim_context(self.net):
                loss = self.net(torch.randn(4, 3)).float().square().sum()
            self.optimizer.update_params(loss)
            if getattr(self.scheduler, 'need_val_args', False):
                self.scheduler.step(dict(loss=1.0))
            elif self.scheduler is not None:
                self.scheduler.step()
        return self

    def save(self, file):
        state = dict(net=self.net.state_dict(), optimizer=self.optimizer.state_dict())
        if self.scheduler is not None:
            state['scheduler'] = scheduler_state(self.scheduler)
        save_checkpoint_file(state, file)
        return self

    def load(self, file):
        state = load_checkpoint_file(file)
        self.net.load_state_dict(state['net'])
        self.optimizer.load_state_dict(state['optimizer'])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state['scheduler'])
        return self


def check_resume(file, **options):
    """Four steps and four more are the same, bit for bit, with a file and a new start between."""
    whole = Run(**options).steps(0, 4).save(file).steps(4, 8)
    resumed = Run(**options).load(file).steps(4, 8)
    assert torch.equal(whole.net.weight, resumed.net.weight)
    assert not torch.equal(whole.net.weight, Run(**options).steps(4, 8).net.weight)


REFUSED = {  # optimisers that can't train here, and what the message says
    'LBFGS': 'closure',  # computes the loss several times per step
    'SparseAdam': 'does not support dense gradients',
    'ZeroRedundancyOptimizer': 'its state is spread over the processes',
    'Optimizer': "'defaults'",  # the base class
}


@pytest.mark.parametrize('name', sorted(OPTIMIZERS.module_dict))
def test_every_optimizer_resumes_exactly_or_is_refused(name, tmp_path):
    cfg = dict(type=name) if name in REFUSED else dict(type=name, lr=0.1)
    if name in REFUSED:
        with pytest.raises(ConfigError, match=REFUSED[name]) as error:
            check_optimizer(dict(optimizer=cfg))
        assert len(str(error.value).splitlines()) == 2
        return
    check_optimizer(dict(optimizer=cfg))
    for wrapper in (
        dict(),
        dict(wrapper='pcdet_kd.AmpOptimWrapper'),
        dict(accumulative_counts=2, clip_grad=dict(max_norm=1.0), several=True),
    ):
        check_resume(tmp_path / 'run.pth', optimizer=cfg, **wrapper)


ARGUMENTS = {  # of a scheduler's family, where there are no defaults or they do nothing in 8 steps
    'Constant': dict(factor=0.5, end=6),
    'CosineAnnealing': dict(T_max=8),
    'CosineRestart': dict(periods=[3, 5], restart_weights=[1.0, 0.5], eta_min=0.01),
    'Exponential': dict(gamma=0.9),
    'Linear': dict(end=6),
    'MultiStep': dict(milestones=[2, 5]),
    'OneCycle': dict(eta_max=0.2, total_steps=10),
    'Poly': dict(end=8),
    'ReduceOnPlateau': dict(patience=1),
    'Step': dict(step_size=3),
}


@pytest.mark.parametrize('name', sorted(PARAM_SCHEDULERS.module_dict))
def test_every_scheduler_resumes_exactly(name, tmp_path):
    family = name.removesuffix('LR').removesuffix('Momentum').removesuffix('ParamScheduler')
    scheduler = dict(type=name, **ARGUMENTS[family])
    if name.endswith('ParamScheduler'):
        scheduler['param_name'] = 'lr'
    check_resume(
        tmp_path / 'run.pth',
        optimizer=dict(type='SGD', lr=0.1, momentum=0.9),
        scheduler=scheduler,
    )


def test_several_optimizers_resume_exactly(tmp_path):
    def wrappers(lr):
        runs = {n: Run(dict(type=n, lr=lr)).steps(0, 3) for n in ('Adam', 'SGD')}
        return OptimWrapperDict(**{n: run.optimizer for n, run in runs.items()})

    first = wrappers(0.1)
    save_checkpoint_file(first.state_dict(), tmp_path / 'run.pth')
    second = wrappers(0.2)
    second.load_state_dict(load_checkpoint_file(tmp_path / 'run.pth'))
    assert second.get_lr() == first.get_lr()


@pytest.mark.parametrize(
    'options',
    [
        dict(param_scheduler=dict(type='OneCycleLR', eta_max=0.1, total_steps=12, by_epoch=False)),
        dict(
            param_scheduler=dict(type='StepLR', step_size=2, by_epoch=True),
            optim_wrapper=dict(
                type='AmpOptimWrapper',
                accumulative_counts=2,
                optimizer=dict(type='Adam', lr=0.05, weight_decay=0.01),
                paramwise_cfg=dict(bias_decay_mult=0.0),
            ),
        ),
    ],
    ids=['OneCycleLR', 'accumulation over the end of an epoch'],
)
def test_a_run_resumes_exactly(runner_of, tmp_path, options):
    whole = runner_of(tmp_path / 'whole', **options)
    whole.train()
    parts = dict(work_dir=tmp_path / 'parts', **options)
    with pytest.raises(TypeError):
        runner_of(**parts, custom_hooks=[dict(type='ActHook', at=4, act='raise')]).train()
    resumed = runner_of(**parts, resume=True)
    resumed.train()
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


def test_what_cannot_be_saved_or_built_is_refused_before_training(runner_of):
    for options, message in (
        (dict(optim_wrapper=dict(optimizer=dict(type='LBFGS'))), 'LBFGS cannot be used'),
        (dict(optim_wrapper=dict(optimizer=dict(type='Muon', lr=0.1))), 'Muon only supports 2D'),
        (dict(param_scheduler=dict(type='OneCycleMomentum')), 'OneCycleMomentum'),
        (dict(param_scheduler=dict(type='OneCycleLR', total_steps=0)), 'total_steps'),
        (
            dict(param_scheduler=dict(type='OneCycleLR', eta_max=0.1, total_steps=1)),
            r'OneCycleLR has total_steps=1, the run has \d+ epochs',
        ),
    ):
        with pytest.raises((ConfigError, KeyError), match=message):
            runner_of(**options).train()


def test_a_schedulers_state_is_looked_at_before_training(runner_of, monkeypatch):
    state = PARAM_SCHEDULERS.get('CosineAnnealingLR').state_dict
    monkeypatch.setattr(
        PARAM_SCHEDULERS.get('CosineAnnealingLR'),
        'state_dict',
        lambda self: dict(state(self), odd=object()),
    )
    runner = runner_of()
    with pytest.raises(ConfigError, match=r"odd' is a builtins\.object"):
        runner.train()
    assert runner.iter == 0
