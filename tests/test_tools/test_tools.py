"""The files in tools/ are doors to pcdet_kd.cli and nothing more."""

import ast
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / 'tools').rglob('*.py'))


@pytest.mark.parametrize('path', SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_tool_calls_its_command(path):
    tree = ast.parse(path.read_text())
    assert len(path.read_text().strip().splitlines()) <= 4
    (line,) = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert line.module.startswith('pcdet_kd.cli.') and callable(import_module(line.module).main)


@pytest.mark.parametrize('path', sorted((ROOT / 'tools').glob('*.sh')), ids=lambda p: p.name)
def test_a_launch_script_is_valid_and_explains_itself(path):
    subprocess.run(['bash', '-n', path], check=True)
    done = subprocess.run(['bash', path], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and 'usage:' in done.stderr
