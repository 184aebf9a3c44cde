import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from pcdet_kd.datasets import PointStore
from pcdet_kd.datasets.cloud_sources import FolderSource, folder_source
from pcdet_kd.datasets.cloud_store import CloudStore
from pcdet_kd.datasets.pack import pack
from pcdet_kd.utils.errors import DataError

pytestmark = pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')


@pytest.fixture
def source(tmp_path, clouds):
    (tmp_path / 'files').mkdir()
    for i, cloud in enumerate(clouds(11, 6)):
        np.save(tmp_path / 'files' / f'{i:02d}.npy', cloud)
    return folder_source(tmp_path / 'files', 'z')


def content(root):
    """Bytes of all files of a store by name."""
    files = (p for p in root.rglob('*') if p.is_file())
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


def test_a_whole_store(source, tmp_path, clouds):
    done = pack(source, tmp_path / 'out', 'make-it', clouds_per_shard=4)
    assert (done.written, done.kept, done.missing) == ([0, 1, 2], [], [])
    assert done.clouds == 11 and done.left_out == []
    info = json.loads((tmp_path / 'out/store.json').read_text())
    assert info['shards'] == [[4, 24, 416], [4, 24, 416], [3, 18, 344]] and info['points'] == 66
    array = np.load(tmp_path / 'out/shards/00001.npy')  # plain NumPy files
    np.testing.assert_array_equal(array, clouds(11, 6)[4:8].reshape(-1, 3))
    again = pack(source, tmp_path / 'out', 'make-it', clouds_per_shard=4)
    assert (again.written, again.kept, again.clouds) == ([], [0, 1, 2], 11)


def test_processes_give_the_same_files(source, tmp_path):
    for workers in (1, 2):
        pack(source, tmp_path / str(workers), 'x', clouds_per_shard=4, workers=workers)
    assert content(tmp_path / '1') == content(tmp_path / '2')


def test_machines_share_the_shards(source, tmp_path):
    pack(source, tmp_path / 'one', 'x', clouds_per_shard=2)
    out = tmp_path / 'many'
    second = pack(source, out, 'x', clouds_per_shard=2, part=(2, 3))
    assert second.written == [1, 4] and second.missing == [0, 2, 3, 5] and second.clouds is None
    with pytest.raises(DataError, match='4 of 6 shards are missing: 0, 2, 3, 5'):
        CloudStore(out)
    assert pack(source, out, 'x', clouds_per_shard=2, part=(3, 3)).missing == [0, 3]
    first = pack(source, out, 'x', clouds_per_shard=2, part=(1, 3))
    assert first.written == [0, 3] and first.clouds == 11
    assert content(out) == content(tmp_path / 'one')


KILLED = """
import os, signal, sys
from pcdet_kd.datasets.cloud_sources import folder_source
from pcdet_kd.datasets.pack import pack
source = folder_source(sys.argv[1], 'z')
read = source.read
def killing(i):
    if i == 6:  # in the middle of the second shard
        os.kill(os.getpid(), signal.SIGKILL)
    return read(i)
source.read = killing
pack(source, sys.argv[2], 'x', clouds_per_shard=4)
"""


def test_after_a_kill_it_continues(source, tmp_path):
    out = tmp_path / 'out'
    arguments = [sys.executable, '-c', KILLED, str(source.root), str(out)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (out / 'shards/00000.json').is_file()
    assert [p.suffix for p in (out / 'shards').glob('.00001*')] == ['.tmp']
    with pytest.raises(DataError, match='2 of 3 shards are missing: 1, 2'):
        CloudStore(out)
    resumed = pack(source, out, 'x', clouds_per_shard=4)
    assert resumed.kept == [0] and resumed.written == [1, 2]
    pack(source, tmp_path / 'whole', 'x', clouds_per_shard=4)
    assert content(out) == content(tmp_path / 'whole')


@pytest.mark.parametrize('lost', ['json', 'npz', 'npy', 'cut'])
def test_a_shard_that_lacks_something_is_written_again(source, tmp_path, lost):
    out = tmp_path / 'out'
    pack(source, out, 'x', clouds_per_shard=4)
    whole = content(out)
    if lost == 'cut':
        (out / 'shards/00001.npy').write_bytes(whole['shards/00001.npy'][:-1])
    else:
        (out / f'shards/00001.{lost}').unlink()
    assert pack(source, out, 'x', clouds_per_shard=4).written == [1]
    assert content(out) == whole


def test_what_cannot_be_used_is_left_out_with_the_reason(source, tmp_path, clouds):
    np.save(source.root / '03.npy', clouds(1, 2)[0])
    (source.root / '05.npy').write_bytes(b'torn')
    np.save(source.root / '07.npy', np.full((6, 3), np.inf, np.float32))
    done = pack(source, tmp_path / 'out', 'x', clouds_per_shard=4, min_points=3)
    assert [name for name, _ in done.left_out] == ['03.npy', '05.npy', '07.npy']
    assert done.clouds == 8
    lines = (tmp_path / 'out/left_out.tsv').read_text().splitlines()
    assert lines[0] == '03.npy\t2 points, fewer than 3' and len(lines) == 3
    data = PointStore(str(tmp_path / 'out'))
    kept = [i for i in range(11) if i not in (3, 5, 7)]
    assert [data[i]['sample_id'] for i in range(8)] == [f'{i:02d}.npy' for i in kept]
    for i, k in enumerate(kept):
        np.testing.assert_array_equal(data[i]['points'], clouds(11, 6)[k])
    again = pack(source, tmp_path / 'out', 'x', clouds_per_shard=4, min_points=3)
    assert again.left_out == done.left_out


def test_a_shard_of_which_everything_is_left_out(source, tmp_path):
    for name in source.names[4:8]:
        (source.root / name).write_bytes(b'torn')
    assert pack(source, tmp_path / 'out', 'x', clouds_per_shard=4).clouds == 7
    assert CloudStore(tmp_path / 'out').name(4) == '08.npy'
    with pytest.raises(DataError, match='every cloud was left out'):
        pack(source, tmp_path / 'none', 'x', min_points=7)


def test_another_source_or_other_options_are_refused(source, tmp_path, clouds):
    out = tmp_path / 'out'
    pack(source, out, 'make-it', clouds_per_shard=4)
    for changes in (dict(clouds_per_shard=5), dict(dtype='int16'), dict(min_points=2)):
        with pytest.raises(DataError, match=f'(?s){next(iter(changes))} = .*make-it'):
            pack(source, out, 'other', **{'clouds_per_shard': 4, **changes})
    np.save(source.root / '11.npy', clouds(1, 6)[0])
    with pytest.raises(DataError, match='items'):
        pack(folder_source(source.root, 'z'), out, 'other', clouds_per_shard=4)
    with pytest.raises(DataError, match='something else than a store'):
        pack(source, source.root, 'x')
    with pytest.raises(ValueError, match="dtype is 'float64'"):
        pack(source, tmp_path / 'new', 'x', dtype='float64')


class Dying(FolderSource):
    def read(self, i):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_the_system_ends(source, tmp_path):
    dying = Dying(**vars(source))
    with pytest.raises(DataError, match='fewer --workers'):
        pack(dying, tmp_path / 'out', 'x', workers=2)
