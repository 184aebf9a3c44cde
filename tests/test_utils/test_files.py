import errno
import os
import socket
import subprocess
import sys

import pytest

from pcdet_kd.utils import files
from pcdet_kd.utils.files import atomic_write, link_or_copy, process_runs, remove_stale_temporaries


def names(directory):
    return sorted(p.name for p in directory.iterdir())


def test_atomic_write_keeps_the_old_file_on_error(tmp_path):
    target = tmp_path / 'sub' / 'a.txt'
    with atomic_write(target) as file:
        file.write(b'old')
    with pytest.raises(KeyError):
        with atomic_write(target) as file:
            file.write(b'half')
            raise KeyError
    assert target.read_bytes() == b'old' and names(target.parent) == ['a.txt']


def test_readers_see_the_old_file_until_the_end(tmp_path):
    target = tmp_path / 'a.txt'
    target.write_bytes(b'old')
    with atomic_write(target) as file:
        file.write(b'new')
        file.flush()
        assert target.read_bytes() == b'old'
    assert target.read_bytes() == b'new'


@pytest.mark.parametrize('wrapped', [False, True])
def test_full_disk_names_path_and_bytes(tmp_path, wrapped):
    with pytest.raises(OSError, match=r'after 4 bytes.*are free') as error:
        with atomic_write(tmp_path / 'a.pth') as file:
            file.write(b'half')
            file.flush()
            try:
                raise OSError(errno.ENOSPC, 'No space left on device')
            except OSError as full:
                if wrapped:  # as torch.save does it
                    raise RuntimeError('unexpected pos') from full
                raise
    assert error.value.filename == str(tmp_path / 'a.pth') and error.value.errno == errno.ENOSPC
    assert names(tmp_path) == []


@pytest.mark.parametrize('hard_links', [True, False])
def test_link_or_copy_replaces(tmp_path, monkeypatch, hard_links):
    if not hard_links:

        def refuse(*args):
            raise OSError(errno.EPERM, 'no links here')

        monkeypatch.setattr(files.os, 'link', refuse)
    a, b = tmp_path / 'a', tmp_path / 'b'
    a.write_bytes(b'new')
    b.write_bytes(b'old')
    link_or_copy(a, b)
    link_or_copy(a, b)
    assert (
        b.read_bytes() == b'new'
        and names(tmp_path) == ['a', 'b']
        and os.path.samefile(a, b) == hard_links
    )
    a.unlink()
    assert b.read_bytes() == b'new'


def test_stale_temporaries_of_dead_processes_go(tmp_path):
    dead = subprocess.Popen([sys.executable, '-c', ''])
    dead.wait()
    host = socket.gethostname()
    (tmp_path / f'.a.pth.{host}.{dead.pid}.tmp').touch()
    kept = [
        f'.a.pth.{host}.{os.getpid()}.tmp',
        f'.a.pth.otherhost.{dead.pid}.tmp',
        '.something.tmp',
        'a.pth',
    ]
    for name in kept:
        (tmp_path / name).touch()
    assert len(remove_stale_temporaries(tmp_path)) == 1
    assert names(tmp_path) == sorted(kept)
    assert process_runs(os.getpid()) and not process_runs(dead.pid)
