import stat
import zipfile
from collections import namedtuple

import pytest

from pcdet_kd.datasets import archive
from pcdet_kd.datasets.archive import unpack
from pcdet_kd.utils.errors import DataError, UserError


@pytest.fixture
def packed(tmp_path):
    """Write an archive of (name, content) pairs or of ready members."""

    def write(*members, compression=zipfile.ZIP_DEFLATED):
        path = tmp_path / 'in.zip'
        with zipfile.ZipFile(path, 'w', compression) as file:
            for name, content in members:
                file.writestr(name, content)
        return path

    return write


def names(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file())


def test_one_folder_becomes_the_folder(packed, tmp_path):
    path = packed(('top/a.txt', 'a'), ('top/in/b.txt', 'b'), ('__MACOSX/top/._a.txt', 'x'))
    folder = unpack(path, tmp_path / 'data/set')
    assert names(folder) == ['a.txt', 'in/b.txt'] and (folder / 'in/b.txt').read_text() == 'b'
    assert list((tmp_path / 'data').iterdir()) == [folder]


def test_several_stay_below_the_folder(packed, tmp_path):
    path = packed(('a.txt', 'a'), ('in/', ''), ('in/b.txt', 'b'))
    assert names(unpack(path, tmp_path / 'set')) == ['a.txt', 'in/b.txt']
    with pytest.raises(DataError, match='something there already'):
        unpack(path, tmp_path / 'set')


def link(name, kind=stat.S_IFLNK):
    member = zipfile.ZipInfo(name)
    member.create_system, member.external_attr = 3, (kind | 0o777) << 16
    return member


@pytest.mark.parametrize(
    'member, told',
    [
        ('../out.txt', 'leads out'),
        ('in/../../out.txt', 'leads out'),
        ('/out.txt', 'leads out'),
        ('in\\..\\..\\out.txt', 'backslash'),
        ('C:out.txt', 'colon'),
        (link('in/out'), 'a link'),
        (link('pipe', stat.S_IFIFO), 'special file'),
        ('A.TXT', 'occurs twice'),
    ],
)
def test_hostile_members_are_refused_before_anything_is_written(packed, tmp_path, member, told):
    path = packed(('a.txt', 'a'), (member, '/etc/passwd'))
    with pytest.raises(DataError, match=told):
        unpack(path, tmp_path / 'data/set')
    assert not (tmp_path / 'out.txt').exists() and not list((tmp_path / 'data').iterdir())


def test_bombs_are_refused(packed, tmp_path, monkeypatch):
    path = packed(('a', bytes(1 << 20)))
    monkeypatch.setenv('PCDET_KD_MAX_BYTES', '1000')
    with pytest.raises(DataError, match='1,048,576 bytes unpacked') as error:
        unpack(path, tmp_path / 'set')
    assert 'PCDET_KD_MAX_BYTES=1048576' in str(error.value)
    monkeypatch.setenv('PCDET_KD_MAX_BYTES', '1048576')
    assert names(unpack(path, tmp_path / 'set')) == ['a']
    monkeypatch.setattr(archive, 'MOST_FILES', 1)
    with pytest.raises(DataError, match='2 files'):
        unpack(packed(('a', 'a'), ('b', 'b')), tmp_path / 'other')


def test_an_archive_that_lies_about_its_sizes(packed, tmp_path):
    path = packed(('a', bytes(10_000)))
    content = path.read_bytes()
    path.write_bytes(content.replace((10_000).to_bytes(4, 'little'), (10).to_bytes(4, 'little')))
    with pytest.raises(DataError, match='damaged archive'):
        unpack(path, tmp_path / 'set')
    assert not (tmp_path / 'set').exists()


def test_damaged_archives(packed, tmp_path):
    path = packed(('a', b'abcdef' * 100), compression=zipfile.ZIP_STORED)
    content = path.read_bytes()
    for damaged in (content[:-30], b'', content.replace(b'abcdef', b'abcdeX', 1)):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match='damaged archive'):
            unpack(path, tmp_path / 'set')
        assert not (tmp_path / 'set').exists()
    with pytest.raises(DataError, match='no files'):
        unpack(packed(('in/', '')), tmp_path / 'set')


def test_an_encrypted_member(packed, tmp_path):
    path = packed(('a', b'abc'), compression=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[6] |= 1  # of the member itself
    content[content.index(b'PK\x01\x02') + 8] |= 1  # of its entry in the list
    path.write_bytes(content)
    with pytest.raises(DataError, match='an encrypted file'):
        unpack(path, tmp_path / 'set')


def test_a_full_disk(packed, tmp_path, monkeypatch):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(archive.shutil, 'disk_usage', lambda path: usage(1, 1, 2))
    with pytest.raises(UserError, match='unpacks to 3 bytes, and the disk of .* has 2'):
        unpack(packed(('a', 'abc')), tmp_path / 'set')
