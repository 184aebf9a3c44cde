"""Fixtures: the toy, and a way to train it in a process that may be killed."""

import importlib.util
import runpy
import sys
import warnings
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def _load_toy():
    spec = importlib.util.spec_from_file_location('pcdet_kd_toy', HERE / 'pcdet_kd_toy.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules['pcdet_kd_toy'] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def toy():
    """The module with the toy's parts."""
    return _load_toy()


@pytest.fixture(autouse=True)
def one_thread():
    """Bit-identical sums need one thread, here as in the other process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def runner_of(toy, tmp_path):
    """Build a PointRunner of the toy in ``tmp_path``, with more hooks (objects, which a config
    can't hold).
    """
    from pcdet_kd.engine import PointRunner

    def build(work_dir=None, hooks=(), **options):
        runner = PointRunner.from_cfg(toy.toy_config(work_dir or tmp_path, **options))
        for hook in hooks:
            runner.register_hook(hook)
        return runner

    return build


@pytest.fixture(scope='session')
def in_process(forkserver):
    """Start training the toy in another process, which starts quickly; returns the process."""

    def start(**options):
        process = forkserver.Process(
            target=runpy.run_path,
            args=(str(HERE / 'run_pcdet_kd_toy.py'),),
            kwargs=dict(init_globals=dict(OPTIONS=options), run_name='toy_run'),
        )
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            process.start()
        return process

    return start
