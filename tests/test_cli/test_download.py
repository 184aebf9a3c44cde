import pytest


def test_the_list(command):
    code, out, err = command('download', '--list')
    assert code == 0 and 'scanobjectnn' in out and 'next: pcdet-kd download NAME' in out


def test_one_that_is_there(command, tmp_path):
    (tmp_path / 'modelnet40_ply_hdf5_2048/x').mkdir(parents=True)
    code, out, err = command('download', 'modelnet40', '--root', tmp_path)
    assert code == 0 and 'there already' in out and 'next: pcdet-kd doctor data' in out


def test_one_to_be_got_by_hand(command, tmp_path):
    code, out, err = command('download', 'scanobjectnn', '--root', tmp_path)
    assert code == 1 and 'form' in err and not list(tmp_path.iterdir())


@pytest.mark.parametrize('arguments', [[], ['modelnet40', '--list']])
def test_mistakes_on_the_command_line(command, arguments):
    code, out, err = command('download', *arguments)
    assert code == 2 and '--list' in err
