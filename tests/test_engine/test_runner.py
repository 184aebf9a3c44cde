import os

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from pcdet_kd.engine import CheckpointHook, PointRunner, WorkDirInUse
from pcdet_kd.engine.distributed import WorkDirLock, setup_distributed, start_time
from pcdet_kd.registry import RUNNERS
from pcdet_kd.utils.errors import UserError


def test_default_runtime_config_builds_and_trains(toy, tmp_path):
    base = os.path.join(os.path.dirname(__file__), '../../configs/_base_/default_runtime.py')
    cfg = Config.fromfile(base)
    cfg.merge_from_dict(dict(toy.toy_config(tmp_path, epochs=1)._cfg_dict.copy()))
    cfg.default_hooks.checkpoint.save_best = 'toy/top1'
    cfg.log_level = 'ERROR'
    runner = RUNNERS.build(cfg)
    assert type(runner) is PointRunner
    runner.train()
    assert (tmp_path / 'best.pth').is_file()
    assert (
        Config.fromfile(next(tmp_path.glob('*.py'))).default_scope == 'pcdet_kd'
    )  # what was dumped loads


def test_an_error_in_a_hook_keeps_its_traceback(runner_of):
    with pytest.raises(TypeError) as error:
        runner_of(custom_hooks=[dict(type='ActHook', at=0, act='raise')]).train()
    assert (
        error.traceback[-1].path.name == 'pcdet_kd_toy.py' and str(error.value) == 'a bug in a hook'
    )


def test_one_run_per_work_directory(runner_of, tmp_path):
    with WorkDirLock(tmp_path):
        with pytest.raises(
            WorkDirInUse, match=rf'in use by process {os.getpid()} .*delete .*\.lock'
        ):
            runner_of().train()
    runner_of(epochs=1).train()
    assert not (tmp_path / '.lock').exists()


def test_lock_of_a_dead_process_is_taken_over(tmp_path):
    (tmp_path / '.lock').write_text(
        f'{os.uname().nodename} {os.getpid()} 12345'
    )  # our id, but of an earlier process
    with WorkDirLock(tmp_path) as lock:
        assert (
            lock.file.read_text()
            == f'{os.uname().nodename} {os.getpid()} {start_time(os.getpid())}'
        )
    (tmp_path / '.lock').write_text('otherhost 1 12345')
    with pytest.raises(RuntimeError, match='process 1 on otherhost'):
        WorkDirLock(tmp_path).__enter__()
    assert [p.name for p in tmp_path.iterdir()] == ['.lock']


def test_checkpoints_within_an_epoch_are_refused(runner_of):
    with pytest.raises(ValueError, match='by_epoch'):
        runner_of(checkpoint=dict(by_epoch=False))
    with pytest.raises(ValueError, match='by_epoch=False'):
        runner_of(
            default_hooks=dict(
                checkpoint=dict(type='mmengine.CheckpointHook', by_epoch=False, interval=2)
            )
        ).train()
    with pytest.raises(ValueError, match='IterBasedTrainLoop'):
        runner_of(train_cfg=dict(by_epoch=False, max_iters=3), param_scheduler=None).train()


def test_loaders_are_checked_before_training(runner_of, toy, tmp_path):
    loader = toy.toy_config(tmp_path).train_dataloader
    with pytest.raises(ValueError, match='3 samples make 0 batches of 4'):
        runner_of(
            train_dataloader=dict(loader, drop_last=True, dataset=dict(loader.dataset, size=3))
        ).train()
    dataset = toy.ToyDataset(size=4)
    dataset.data_list.clear()
    with pytest.raises(ValueError, match=r"ToyDataset \(split 'train'\) has 0 samples"):
        PointRunner.build_dataloader(torch.utils.data.DataLoader(dataset))
    built = PointRunner.build_dataloader(
        dict(loader, num_workers=0, persistent_workers=True, prefetch_factor=2)
    )
    assert not built.persistent_workers
    assert built.worker_init_fn.func.__module__ == 'pcdet_kd.engine.hooks.seed'


def test_workers_started_by_spawn(toy, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(
        os.path.dirname(toy.__file__)
    )  # the worker imports the toy by its name
    cfg = toy.toy_config(tmp_path, workers=1)
    loader = PointRunner.build_dataloader(
        dict(cfg.train_dataloader, multiprocessing_context='spawn'), seed=0
    )
    loader.dataset.set_epoch(3, 1)
    spawned = torch.cat([b['inputs']['points'] for b in loader])
    loader = PointRunner.build_dataloader(dict(cfg.train_dataloader, num_workers=0), seed=0)
    loader.dataset.set_epoch(3, 1)
    assert torch.equal(spawned, torch.cat([b['inputs']['points'] for b in loader]))


def test_work_directory_that_cannot_be(runner_of, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='--work-dir'):
        runner_of(tmp_path / 'file')


def test_runs_of_one_second_do_not_share_names(runner_of, tmp_path):
    runners = [runner_of(tmp_path / str(i)) for i in range(3)]
    assert (
        len({r.experiment_name for r in runners}) == len({id(r.message_hub) for r in runners}) == 3
    )


def test_hooks_can_be_left_out_and_ours_are_found_in_any_scope(runner_of):
    runner = runner_of(default_hooks=dict(stop_signal=None, checkpoint=None))
    names = [type(h).__name__ for h in runner.hooks]
    assert 'StopSignalHook' not in names and 'CheckpointHook' not in names and 'SeedHook' in names
    with DefaultScope.overwrite_default_scope('mmengine'):
        runner.register_hook(dict(type='CheckpointHook', interval=2, priority='LOW'))
    found = next(h for h in runner.hooks if type(h).__name__ == 'CheckpointHook')
    assert isinstance(found, CheckpointHook) and found.priority == 'LOW'


def test_launcher_problems_are_told(monkeypatch):
    with pytest.raises(ValueError, match='torchrun'):
        setup_distributed('torchrun')
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('MASTER_PORT', '1')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match='RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR'):
        setup_distributed('pytorch')
    setup_distributed('none')


def test_metric_of_the_console_is_a_mean():
    import re

    from pcdet_kd.engine.runner import MEAN_PATTERN

    assert all(
        re.match(MEAN_PATTERN, name) for name in ('loss_cls', 'stat_gap', 'data_time', 'grad_norm')
    )
