import sys

import pytest


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command in this process; returns its exit code, standard output and standard error."""

    def run(module, *arguments):
        from importlib import import_module

        monkeypatch.setattr(sys, 'argv', [module, *map(str, arguments)])
        capsys.readouterr()
        try:
            code = import_module(f'pcdet_kd.cli.{module}').main()
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
