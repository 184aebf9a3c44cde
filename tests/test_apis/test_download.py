import hashlib
import io
import zipfile
from dataclasses import replace
from functools import partial

import pytest

from pcdet_kd.apis import download as module
from pcdet_kd.apis.download import DownloadError, download, published_text
from pcdet_kd.apis.resuming_download import ResumingDownloader
from pcdet_kd.datasets.published import PUBLISHED
from pcdet_kd.utils.errors import DataError

QUICK = partial(ResumingDownloader, tries=2, wait=0)


def archive(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, 'w') as file:
        for name, text in members.items():
            file.writestr(name.replace('__', '/'), text)
    return content.getvalue()


GOOD = archive(top__a='a' * 1000, top__b='b' * 50_000)
MD5 = f'md5:{hashlib.md5(GOOD).hexdigest()}'


@pytest.fixture
def get(file_server, tmp_path, monkeypatch):
    """Download a data set that the server has at two addresses."""
    paths = ('/first/set.zip', '/second/set.zip')
    entry = replace(PUBLISHED['modelnet40'], urls=tuple(map(file_server.url, paths)))
    file_server.files = dict.fromkeys(paths, GOOD)
    said = []

    def run(known=MD5, **changes):
        found = replace(entry, **{'folder': 'set', 'known_hash': known, **changes})
        monkeypatch.setattr(module, 'PUBLISHED', {'set': found})
        said.clear()
        return download('set', tmp_path / 'data', said.append, QUICK)

    run.said, run.root = said, tmp_path / 'data'
    return run


def listing(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file())


def test_a_download_with_a_dropped_connection(get, file_server):
    file_server.drops = [20_000]
    folder = get()
    assert folder == get.root / 'set' and listing(get.root) == [
        'set/SHA256SUMS',
        'set/a',
        'set/b',
    ]
    assert [span for _, span in file_server.asked] == [None, 'bytes=16384-']
    assert any('academic research' in line for line in get.said)
    asked = len(file_server.asked)
    assert get() == folder and 'there already' in get.said[-1] and len(file_server.asked) == asked


def test_the_next_address_is_tried(get, file_server):
    file_server.files['/first/set.zip'] = GOOD[:-1] + b'x'
    assert listing(get()) == ['SHA256SUMS', 'a', 'b'] and 'another file' in get.said[-2]
    assert [path for path, _ in file_server.asked] == ['/first/set.zip', '/second/set.zip']


def test_wrong_hashes_and_dead_servers(get, file_server):
    file_server.files['/first/set.zip'] = b'x' * 100
    file_server.files['/second/set.zip'] = None
    with pytest.raises(DownloadError, match=r'(?s)expected md5:.*answers 404.*by hand: ask') as e:
        get(by_hand='ask for it')
    assert hashlib.md5(b'x' * 100).hexdigest() in str(e.value)
    assert listing(get.root) == [] and list(get.root.iterdir()) == []
    closed = 'http://127.0.0.1:1/set.zip'
    with pytest.raises(DownloadError, match='no connection'):
        get(urls=(closed,))
    file_server.headers = {'Content-Type': 'text/html'}
    file_server.files['/second/set.zip'] = b'<html>'
    with pytest.raises(DownloadError, match='web page'):
        get()


def test_an_unknown_hash_is_remembered(get, file_server):
    folder = get(known=None)
    recorded = get.root / module.HASHES
    digest = hashlib.sha256(GOOD).hexdigest()
    assert recorded.read_text() == f'{digest}  set.zip\n' and any('no hash' in t for t in get.said)
    folder.rename(get.root / 'away')
    assert get(known=None) == folder and not any('no hash' in t for t in get.said)
    folder.rename(get.root / 'away too')
    file_server.files = dict.fromkeys(file_server.files, archive(top__a='other'))
    with pytest.raises(DownloadError, match='remove its line from .*downloads.sha256'):
        get(known=None)
    recorded.write_text('nonsense\n')
    with pytest.raises(DataError, match='nonsense'):
        get(known=None)


def test_a_hostile_archive_is_not_kept(get, file_server):
    file_server.files = dict.fromkeys(file_server.files, archive(**{'..__out': 'x'}))
    with pytest.raises(DataError, match='leads out'):
        get(known=None)
    assert listing(get.root) == [module.HASHES] and not (get.root.parent / 'out').exists()


def test_an_archive_that_was_not_unpacked_is_not_downloaded_again(get, file_server, monkeypatch):
    monkeypatch.setattr(module, 'unpack', lambda archive, folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        get()
    monkeypatch.undo()
    asked = len(file_server.asked)
    (get.root / 'set').mkdir()  # an empty folder is no data set
    assert listing(get()) == ['SHA256SUMS', 'a', 'b'] and len(file_server.asked) == asked


def test_what_cannot_be_downloaded():
    with pytest.raises(DownloadError, match="no data set 'scanobject'.*mean 'scanobjectnn'"):
        download('scanobject')
    with pytest.raises(DownloadError, match='form at https://hkust-vgd.github.io'):
        download('scanobjectnn')


def test_the_list():
    text = published_text('there')
    assert all(name in text and entry.terms in text for name, entry in PUBLISHED.items())
    assert '435 MB, to there/modelnet40_ply' in text and 'by hand, to there/ScanObjectNN' in text
