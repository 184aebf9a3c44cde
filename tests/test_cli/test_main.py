import subprocess
import sys
import time
from importlib import import_module

import pytest

from pcdet_kd import cli


def test_every_command_exists_and_explains_itself(monkeypatch, capsys):
    for name in cli.COMMANDS:
        monkeypatch.setattr(sys, 'argv', ['pcdet-kd', name, '--help'])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert exit_.value.code == 0 and 'usage' in capsys.readouterr().out
        assert import_module(f'pcdet_kd.cli.{name.replace("-", "_")}').__doc__


def test_the_overview_and_a_misspelt_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['pcdet-kd'])
    assert cli.main() == 0
    out = capsys.readouterr().out
    assert all(name in out for name in cli.COMMANDS)
    monkeypatch.setattr(sys, 'argv', ['pcdet-kd', 'trian'])
    assert cli.main() == 2 and "'train'" in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    code = (
        'import sys; from pcdet_kd.cli import train; sys.argv = ["train", "--help"]\n'
        'try: train.main()\nexcept SystemExit: pass\n'
        'print([m for m in ("torch", "mmengine", "numpy", "numba") if m in sys.modules])'
    )
    start = time.time()
    out = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    ).stdout
    assert out.endswith('[]\n'), out
    assert time.time() - start < 20
