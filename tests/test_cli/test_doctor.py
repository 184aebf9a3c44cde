import json

import pytest


def test_the_environment(command):
    code, out, err = command('doctor', 'env')
    assert (
        code == 0 and 'Kernels on the CPU' in out and out.endswith('next: pcdet-kd doctor data\n')
    )
    code, out, err = command('doctor', 'env', '--json')
    assert code == 0 and json.loads(out)['subject'] == 'Environment'


@pytest.mark.parametrize('arguments', [[], ['car'], ['env', 'x']])
def test_mistakes_on_the_command_line(command, arguments):
    code, out, err = command('doctor', *arguments)
    assert code == 2 and 'usage' in err


def test_data(command, tmp_path, tiny_configs):
    code, out, err = command('doctor', 'data', tmp_path / 'nowhere')
    assert code == 1 and 'no such directory' in out and '1 broken' in out
    config = tiny_configs / 'tiny_teacher.py'
    code, out, err = command('doctor', 'data', config, '--json', '--cfg-options', 'model.x=1')
    assert code == 1 and 'model.x' in err and not out
    code, out, err = command('doctor', 'data', config, '--json')
    assert code == 0 and json.loads(out)['sections']['Clouds']['splits']['train']['points'] == '16'


def test_options_that_would_do_nothing(command, tmp_path, tiny_configs):
    code, out, err = command('doctor', 'data', tmp_path, '--cfg-options', 'a=1')
    assert code == 1 and '--cfg-options is for a config' in err
    code, out, err = command('doctor', 'data', tiny_configs / 'tiny_teacher.py', '--quick')
    assert code == 1 and '--quick is for folders' in err


def test_a_config(command, tiny_configs):
    config = tiny_configs / 'tiny_teacher.py'
    code, out, err = command('doctor', 'config', config, '--cfg-options', 'max_epochs=1')
    assert code == 0 and '1 warning' not in out and 'iterations per epoch' in out
    assert out.endswith(f'next: pcdet-kd train {config} --cfg-options max_epochs=1\n')
    code, out, err = command('doctor', 'config', config, '--json', '--work-dir', 'here')
    assert code == 0 and json.loads(out)['sections']['Stages']['stages']['tiny_teacher']
    code, out, err = command('doctor', 'config', tiny_configs / 'no.py')
    assert code == 1 and 'no config' in out and 'next:' not in out


def test_a_checkpoint(command, tmp_path):
    import torch

    torch.save({'a.weight': torch.zeros(2, 2)}, tmp_path / 'a.pth')
    code, out, err = command('doctor', 'ckpt', tmp_path / 'a.pth')
    assert code == 0 and 'SHA-256' in out
    code, out, err = command('doctor', 'ckpt', tmp_path / 'b.pth', '--json')
    assert code == 1 and json.loads(out)['broken']
