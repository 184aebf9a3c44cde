"""Each replacement in compat: that it is in place, that it does what it is for, and that MMEngine
still needs it.
"""

import inspect
import subprocess
import sys
from contextvars import ContextVar

import mmengine.config.config
import mmengine.config.utils
import mmengine.fileio
import mmengine.fileio.handlers.yaml_handler
import mmengine.hub.hub
import mmengine.runner.checkpoint
import mmengine.utils
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import CheckpointLoader, load_checkpoint
from mmengine.utils.dl_utils import collect_env

from pcdet_kd.engine import compat
from pcdet_kd.utils.checkpoint import CheckpointError


def test_mmengine_has_everything_that_is_replaced():
    assert compat.skipped == []
    assert len(compat.applied) == len(set(compat.applied)) == 2 + 2 + 3 + 4 + 1 + 2 + 1 + 1 + 1 + 1


def test_opencv_that_cannot_be_loaded_is_told_with_the_fix(tmp_path):
    fault = "raise ImportError('libxcb.so.1: cannot open shared object file', name='cv2')"
    (tmp_path / 'cv2.py').write_text(fault)
    code = f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import pcdet_kd.engine'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    last = run.stderr.splitlines()[-1]
    assert 'MissingPackageError: OpenCV' in last and 'libxcb.so.1' in last
    assert 'pip install --force-reinstall --no-deps opencv-python-headless' in last


def test_a_missing_compiler_is_not_worth_a_line(monkeypatch, capfd):
    monkeypatch.setattr('sysconfig.get_config_var', lambda name: 'no-such-compiler')
    assert collect_env()['GCC'] == 'n/a'
    assert capfd.readouterr() == ('', '')


def test_apply_again_changes_nothing():
    before = list(compat.applied)
    compat.apply()
    assert compat.applied == before


def test_a_name_that_is_gone_is_told(monkeypatch, caplog):
    monkeypatch.setattr(compat, 'applied', [])
    monkeypatch.setattr(compat, 'skipped', [])
    compat._swap(('mmengine.utils',), 'no_such_name', None)
    assert compat.skipped == ['mmengine.utils.no_such_name'] and 'no_such_name' in caplog.text


def test_signatures_that_are_replaced_are_unchanged():
    source = inspect.getsource(mmengine.runner.checkpoint.load_from_torchvision)
    assert 'load_from_http(' in source
    source = inspect.getsource(mmengine.fileio.handlers.yaml_handler.YamlHandler.load_from_fileobj)
    assert "'Loader', Loader" in source
    source = inspect.getsource(mmengine.config.config)
    for call in (
        '_is_builtin_module(node.module)',
        'get_installed_path(package)',
        'is_installed(package)',
    ):
        assert call in source


@pytest.mark.parametrize(
    'line', ['from pathlib import Path', 'import os', 'from functools import partial']
)
def test_configs_may_import_the_standard_library(tmp_path, line):
    file = tmp_path / 'config.py'
    (tmp_path / 'base.py').write_text('a = 1\n')
    base = 'with read_base():\n    from .base import a\n'
    file.write_text(f'from mmengine.config import read_base\n{line}\n{base}b = a + 1\n')
    assert Config.fromfile(str(file)).b == 2


def test_standard_modules():
    for name, expected in dict(
        os=True, json=True, torch=False, numpy=False, pcdet_kd=False
    ).items():
        assert mmengine.config.utils._is_builtin_module(name) is expected, name
    assert not compat.is_standard_module('.base') and compat.is_standard_module('mmengine.config')
    assert compat.is_standard_module('os.path')


def test_installed_packages_without_pkg_resources():
    assert mmengine.utils.is_installed('torch') and mmengine.utils.is_installed('mmcv-lite')
    assert not mmengine.utils.is_installed('no-such-package') and not mmengine.utils.is_installed(
        'no_such.package'
    )
    assert mmengine.utils.get_installed_path('torch') == str(torch.__path__[0])
    assert mmengine.hub.hub.get_installed_path('mmcv-lite').endswith('mmcv')
    assert mmengine.config.config.get_installed_path('pcdet_kd').endswith('pcdet_kd')
    with pytest.raises(ModuleNotFoundError):
        mmengine.utils.get_installed_path('no-such-package')


def test_yaml_runs_no_code(tmp_path):
    (tmp_path / 'a.yaml').write_text('a: [1, b]')
    assert mmengine.fileio.load(str(tmp_path / 'a.yaml')) == dict(a=[1, 'b'])
    (tmp_path / 'b.yaml').write_text(f'!!python/object/apply:os.mkdir ["{tmp_path}/ran"]')
    with pytest.raises(Exception, match='could not determine a constructor'):
        mmengine.fileio.load(str(tmp_path / 'b.yaml'))
    assert not (tmp_path / 'ran').exists()


def test_mmengines_loader_reads_safely_and_checked(tmp_path):
    file = tmp_path / 'w.pth'
    torch.save(torch.nn.Linear(1, 1).state_dict(), file)
    load_checkpoint(torch.nn.Linear(1, 1), str(file), strict=True)
    assert CheckpointLoader._get_checkpoint_loader('https://x/y.pth') is compat.load_from_http
    assert CheckpointLoader._get_checkpoint_loader('http://x/y.pth') is compat.load_from_http
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match='truncated'):
        load_checkpoint(torch.nn.Linear(1, 1), str(file))
    with pytest.raises(ValueError, match='not cached'):
        compat.load_from_http('http://x/y.pth', model_dir='somewhere')


def test_mmengines_files_are_written_atomically(tmp_path, monkeypatch):
    backend = mmengine.fileio.get_file_backend(str(tmp_path / 'a'))
    assert type(backend) is compat.AtomicLocalBackend
    backend.put_text('old', tmp_path / 'a')

    def fail(source, target):
        raise OSError('killed here')

    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(OSError, match='killed here'):
        backend.put(b'new', tmp_path / 'a')
    assert [p.name for p in tmp_path.iterdir()] == ['a'] and backend.get_text(
        tmp_path / 'a'
    ) == 'old'


def test_config_texts_are_formatted_once(monkeypatch):
    calls = []

    def slow(text, style_config):
        calls.append(text)
        return text.upper(), True

    monkeypatch.setattr(mmengine.config.config, 'FormatCode', compat._remembering(slow))
    assert Config(dict(a=1)).pretty_text == 'a=1' and not calls  # as all tests' configs are
    monkeypatch.setattr(compat, '_formats_configs', ContextVar('formats', default=True))
    assert Config(dict(a=1)).pretty_text == Config(dict(a=1)).pretty_text == 'A=1'
    assert Config(dict(a=2)).pretty_text == 'A=2'
    assert calls == ['a=1', 'a=2']


def test_histories_are_capped():
    hub = MessageHub.get_instance('capped')
    hub.update_scalar('x', 1.0)
    assert (
        hub.log_scalars['x'].max_length
        == HistoryBuffer().max_length
        == compat.HISTORY_LENGTH
        == 10_000
    )


def test_the_package_can_be_imported_where_warnings_are_errors():
    code = 'import pcdet_kd.apis, pcdet_kd.engine, pcdet_kd.datasets, pcdet_kd.distillers'
    done = subprocess.run([sys.executable, '-W', 'error', '-c', code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
