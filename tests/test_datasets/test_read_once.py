import os

import pytest

from pcdet_kd.datasets.read_once import note_file, noting_files, once, reading_once, unchanged


def test_inside_the_block_each_key_is_read_once():
    calls = []

    def read():
        calls.append(1)
        return len(calls)

    assert (once('a', read), once('a', read)) == (1, 2)
    with reading_once():
        assert (once('a', read), once('a', read)) == (3, 3)
        with reading_once():
            assert (once('a', read), once('b', read)) == (3, 4)
        assert once('b', read) == 4
    assert once('a', read) == 5


def test_a_failed_read_is_not_kept():
    with reading_once():
        with pytest.raises(ZeroDivisionError):
            once('a', lambda: 1 / 0)
        assert once('a', lambda: 2) == 2


def test_files_are_noted_where_they_are_read_first_and_again(tmp_path):
    file = tmp_path / 'x'
    file.write_text('1')
    with reading_once():
        for _ in range(2):
            with noting_files() as outer, noting_files() as files:
                once('a', lambda: note_file(file))
            assert list(files) == list(outer) == [str(file)] and unchanged(files)
    file.write_text('12')
    assert not unchanged(files)
    file.write_text('1')
    os.utime(file, ns=(0, files[str(file)][1]))
    assert unchanged(files)
    file.unlink()
    assert not unchanged(files) and not unchanged({})
    note_file(tmp_path)  # outside of a block, nothing happens
