"""FSDP2 through the Runner, in two processes on a CPU."""

import multiprocessing
import os
import socket
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from torch.distributed.tensor import DTensor

from pcdet_kd.engine.sharded import is_sharded, shared_like, whole
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights

HERE = str(Path(__file__).parents[1] / 'test_distillers')


SHARDED = dict(type='FullyShardedModel')
RUNS = (  # work directory, wrapper, iteration after which the run ends as by a kill
    ('ddp', None, None),
    ('whole', SHARDED, None),
    ('killed', SHARDED, 4),
    ('killed', SHARDED, None),
)


def train(rank, port, folder):
    """One of two processes, which make all runs in turn."""
    sys.path.insert(0, HERE)
    from test_asymdsd_training import Stop, config

    from pcdet_kd.engine import PointRunner

    variables = dict(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=2, MASTER_PORT=port)
    os.environ.update({k: str(v) for k, v in variables.items()}, MASTER_ADDR='127.0.0.1')
    torch.set_num_threads(1)
    for name, wrapper, stop in RUNS:
        cfg = config(folder / name, folder)
        cfg.launcher = 'pytorch'
        cfg.resume = True
        cfg.train_cfg.max_epochs = 2
        cfg.train_dataloader.batch_size = 2
        cfg.model_wrapper_cfg = wrapper
        runner = PointRunner.from_cfg(cfg)
        assert is_sharded(runner.model) == (wrapper is not None)
        if stop is not None:
            runner.register_hook(Stop(at=stop))
        with pytest.raises(KeyboardInterrupt) if stop is not None else nullcontext():
            runner.train()


@pytest.mark.filterwarnings('ignore')
def test_it_trains_as_ddp_does_resumes_exactly_and_one_process_loads_it(tmp_path):
    """Two epochs of three iterations, a step of accumulated gradients over the end of the first."""
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        port = found.getsockname()[1]
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['pcdet_kd.engine', 'pcdet_kd.distillers', 'pcdet_kd.datasets'])
    processes = [context.Process(target=train, args=(rank, port, tmp_path)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(180)
        assert process.exitcode == 0
    ddp, one, other = (
        load_checkpoint_file(tmp_path / name / 'last.pth') for name in ('ddp', 'whole', 'killed')
    )
    for key, value in one['state_dict'].items():
        assert type(value) is torch.Tensor
        assert torch.equal(value, other['state_dict'][key]), key
        torch.testing.assert_close(value, ddp['state_dict'][key], rtol=1e-3, atol=1e-4)
    for mine, theirs in zip(one['optimizer']['state'].values(), ddp['optimizer']['state'].values()):
        assert mine['exp_avg'].shape == theirs['exp_avg'].shape
    sys.path.insert(0, HERE)
    from test_asymdsd_training import MODEL

    load_weights(MODELS.build(MODEL), one)


def test_whole_tensors_stay_as_they_are():
    x = torch.randn(3)
    assert whole(x) is x and shared_like(x, torch.zeros(3)) is x
    assert not is_sharded(torch.nn.Linear(1, 1)) and not isinstance(x, DTensor)
