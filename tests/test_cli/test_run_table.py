import pytest

SHORT = ('--cfg-options', 'max_epochs=1')


def test_several_seeds_of_a_plain_config(tiny_configs, command):
    path = tiny_configs / 'tiny_teacher.py'
    code, out, err = command('run_table', path, '--seeds', '4,6', *SHORT)
    assert code == 0, err
    assert 'seeds 4, 6' in out and '| tiny_teacher |' in out
    folder = tiny_configs.parent / 'work_dirs/tables'
    assert {file.suffix for file in (folder / 'tiny_teacher').iterdir()} == {'.md', '.tex', '.json'}
    assert len(list((folder / 'runs').iterdir())) == 2
    code, out, err = command('run_table', path, '--seeds', 3, '--dry-run', *SHORT)
    assert code == 0 and 'dry run of 3 runs' in out and 'seed 2' in out


def test_a_failed_run_is_exit_code_1(tiny_configs, command):
    path = tiny_configs / 'tiny_teacher.py'
    options = [*SHORT, 'optim_wrapper.optimizer.lr=-1']
    code, out, err = command('run_table', path, *options)
    assert code == 1 and 'failed: tiny_teacher, seed 0' in out and 'learning rate' in out


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--seeds', 'x'], 'no list of seeds'),
        (['--seeds', '0'], 'at least one seed'),
        (['--shard', '1'], 'I/N'),
        (['--votes', '1'], 'at least 2'),
    ],
)
def test_mistakes_on_the_command_line(command, arguments, words):
    code, out, err = command('run_table', 'x.py', *arguments)
    assert code == 2 and words in err
