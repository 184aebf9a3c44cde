import shutil
import subprocess

import pytest

from pcdet_kd.cli import COMMANDS, completion
from pcdet_kd.cli.completion import parser_of, words_of


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_shows_its_options(command):
    words = list(words_of(parser_of(command)))
    assert '--help' in words and not any(' ' in word for word in words)


def test_words_of_a_command():
    assert {'--with-baseline', '--extend', '$models'} <= {*words_of(parser_of('train'))}
    assert {'env', 'data', 'config', 'ckpt', '--json'} <= {*words_of(parser_of('doctor'))}


@pytest.mark.skipif(shutil.which('bash') is None, reason='no bash')
def test_bash_completes(monkeypatch, capsys, tmp_path):
    commands = {name: COMMANDS[name] for name in ('train', 'test', 'models')}
    monkeypatch.setattr('pcdet_kd.cli.COMMANDS', commands)
    monkeypatch.setattr('sys.argv', ['pcdet-kd completion', 'bash'])
    completion.main()
    script = tmp_path / 'script'
    script.write_text(capsys.readouterr().out)
    (tmp_path / 'pointnet_x.pth').touch()

    def complete(*words):
        typed = f'COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}'
        code = f'source {script}; {typed}; _pcdet_kd; echo "${{COMPREPLY[@]}}"'
        run = subprocess.run(
            ['bash', '-uc', code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return run.stdout.split()

    assert complete('pcdet-kd', 't') == ['train', 'test']
    assert complete('pcdet-kd', 'train', '--with-b') == ['--with-baseline']
    found = complete('pcdet-kd', 'test', 'pointnet_')
    assert 'pointnet_small_modelnet40' in found and found[-1] == 'pointnet_x.pth'


def test_zsh_loads_what_bash_has(monkeypatch, capsys):
    monkeypatch.setattr('pcdet_kd.cli.COMMANDS', {'models': ''})
    monkeypatch.setattr('sys.argv', ['pcdet-kd completion', 'zsh'])
    completion.main()
    assert capsys.readouterr().out.startswith('autoload -U +X compinit bashcompinit')
