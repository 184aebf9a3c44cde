"""The example plug-in, installed into an environment of its own and used from there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / 'projects' / 'example_plugin'


@pytest.fixture(scope='module')
def environment(tmp_path_factory):
    """A folder with the plug-in, as pip installs it, before everything else on the path."""
    folder = tmp_path_factory.mktemp('plugin')
    source = folder / 'source'
    subprocess.run(
        ['cp', '-r', str(PLUGIN), str(source)], check=True
    )  # a build leaves files behind
    subprocess.run(
        [
            sys.executable,
            '-m',
            'pip',
            'install',
            '-q',
            '--no-deps',
            '--no-build-isolation',
            '--no-index',
            '--disable-pip-version-check',
            '--target',
            str(folder / 'site'),
            str(source),
        ],
        check=True,
    )
    path = os.pathsep.join(filter(None, [str(folder / 'site'), os.environ.get('PYTHONPATH')]))
    return dict(os.environ, PYTHONPATH=path, PCDET_KD_NO_PLUGINS='0')


def test_an_installed_plugin_is_found_and_trains(environment, tmp_path):
    config = tmp_path / 'leaf.py'
    config.write_text((PLUGIN / 'configs' / 'mean_max_net_syntheticscans.py').read_text())
    code = (
        "import sys; from pcdet_kd.cli import main; sys.argv = ['pcdet-kd', *sys.argv[1:]]; "
        'raise SystemExit(main())'
    )
    options = [
        'num_train=60',
        'num_test=15',
        'num_points=32',
        'max_epochs=1',
        f'work_dir={tmp_path / "run"}',
    ]
    done = subprocess.run(
        [sys.executable, '-c', code, 'train', str(config), '--cfg-options', *options],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert list((tmp_path / 'run').rglob('*.pth'))


def test_its_own_tests_pass(environment):
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(PLUGIN / 'tests')],
        env=environment,
        cwd=PLUGIN,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_without_it_the_name_is_unknown():
    from pcdet_kd.registry import BACKBONES

    with pytest.raises(KeyError, match='MeanMaxNet'):
        BACKBONES.build(dict(type='MeanMaxNet'))
