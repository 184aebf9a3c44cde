"""Plug-ins are found through an installed package's metadata, so each test runs a fresh
interpreter.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PART = """
from pcdet_kd.registry import VISUALIZERS

@VISUALIZERS.register_module()
class Elsewhere:
    answer = 7

CALLS = []

def register():
    CALLS.append(1)
"""


def install(folder: Path, entry: str, source: str = PART) -> None:
    """Write a package and its metadata as pip would."""
    (folder / 'elsewhere.py').write_text(source)
    info = folder / 'elsewhere_pkg-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: elsewhere-pkg\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(f'[pcdet_kd.plugins]\nelsewhere = {entry}\n')


def run(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(folder), str(ROOT), os.environ.get('PYTHONPATH', '')])
    return subprocess.run(
        [sys.executable, '-c', code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, 'PYTHONPATH': path, **environment},
    )


BUILD = (
    'from pcdet_kd.registry import VISUALIZERS; '
    "print(VISUALIZERS.build(dict(type='Elsewhere')).answer)"
)


def test_module_of_an_installed_package_registers_its_parts(tmp_path):
    install(tmp_path, 'elsewhere')
    done = run(tmp_path, BUILD)
    assert done.stdout.strip() == '7', done.stderr


def test_function_is_called_once(tmp_path):
    install(tmp_path, 'elsewhere:register')
    done = run(
        tmp_path,
        'from pcdet_kd.plugins import load_plugins; load_plugins(); load_plugins(); '
        'import elsewhere; print(elsewhere.CALLS)',
    )
    assert done.stdout.strip() == '[1]', done.stderr


def test_class_is_imported_but_not_built(tmp_path):
    refuses = 'class Part:\n    def __init__(self):\n        raise RuntimeError("was built")\n'
    install(tmp_path, 'elsewhere:Part', PART + refuses)
    done = run(tmp_path, BUILD)
    assert done.stdout.strip() == '7', done.stderr


def test_broken_plugin_is_named_with_the_way_out(tmp_path):
    install(tmp_path, 'elsewhere', 'raise RuntimeError("no licence")')
    done = run(tmp_path, BUILD)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert (
        "plug-in 'elsewhere' (elsewhere) of elsewhere-pkg could not be loaded: RuntimeError('no "
        "licence')" in last
    )
    assert 'pip uninstall elsewhere-pkg' in last


def test_plugins_can_be_turned_off(tmp_path):
    install(tmp_path, 'elsewhere', 'raise RuntimeError("must not be imported")')
    done = run(
        tmp_path,
        'from pcdet_kd.plugins import load_plugins; load_plugins(); print("fine")',
        PCDET_KD_NO_PLUGINS='1',
    )
    assert done.stdout.strip() == 'fine', done.stderr


@pytest.mark.parametrize(
    'code', ['import pcdet_kd', 'import pcdet_kd.registry', 'import pcdet_kd.plugins']
)
def test_importing_the_package_does_not_load_plugins(tmp_path, code):
    install(tmp_path, 'elsewhere', 'raise RuntimeError("must not be imported")')
    done = run(tmp_path, code)
    assert done.returncode == 0, done.stderr
