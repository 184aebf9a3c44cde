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
