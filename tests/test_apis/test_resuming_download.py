import json
from collections import namedtuple

import numpy as np
import pytest
import requests

from pcdet_kd.apis import resuming_download
from pcdet_kd.apis.resuming_download import ResumingDownloader
from pcdet_kd.utils.errors import UserError

CONTENT = np.random.default_rng(0).bytes(300_000)


@pytest.fixture
def fetch(file_server, tmp_path):
    """Download ``/a`` and return its content."""

    def run(**options):
        downloader = ResumingDownloader(tmp_path / 'a.part', **{'wait': 0, **options})
        downloader(file_server.url('/a'), tmp_path / 'a', None)
        assert not list(tmp_path.glob('a.part*'))
        return (tmp_path / 'a').read_bytes()

    file_server.files['/a'] = CONTENT
    return run


def test_a_whole_file(fetch, file_server):
    assert fetch() == CONTENT and file_server.asked == [('/a', None)]


def test_dropped_connections_go_on_where_they_stopped(fetch, file_server):
    file_server.drops = [100_000, 0, 50_000]
    assert fetch(tries=2) == CONTENT
    spans = [span for _, span in file_server.asked]
    assert spans == [None, 'bytes=98304-', 'bytes=98304-', 'bytes=147456-']  # whole blocks


def test_a_new_process_goes_on(fetch, file_server, tmp_path):
    file_server.drops = [100_000, 0]
    with pytest.raises(requests.RequestException):
        fetch(tries=1)
    assert (tmp_path / 'a.part').stat().st_size == 98_304
    assert fetch() == CONTENT and file_server.asked[-1] == ('/a', 'bytes=98304-')


def test_it_starts_anew_where_it_cannot_go_on(fetch, file_server, tmp_path):
    part, about = tmp_path / 'a.part', tmp_path / 'a.part.json'

    def stop():
        file_server.drops = [100_000, 0]
        with pytest.raises(requests.RequestException):
            fetch(tries=1)

    stop()
    file_server.files['/a'] = changed = CONTENT[::-1]  # another file under the same name
    assert fetch() == changed
    stop()
    file_server.ranges = False
    assert fetch() == changed
    stop()
    about.write_text('{"url"')
    assert fetch() == changed and file_server.asked[-1][1] is None
    stop()
    file_server.ranges = True
    part.write_bytes(bytes(300_001))  # longer than the file
    assert fetch() == changed
    stop()
    about.write_text(json.dumps(dict(url='http://elsewhere', mark='x')))
    assert fetch() == changed and file_server.asked[-1][1] is None


def test_it_gives_up_where_the_server_always_begins_anew(fetch, file_server):
    file_server.ranges, file_server.drops = False, [200_000, 50_000] * 20
    with pytest.raises(requests.RequestException):
        fetch(tries=3)
    assert len(file_server.asked) == 4


def test_errors_of_the_server(fetch, file_server, tmp_path):
    file_server.status = 404
    with pytest.raises(requests.HTTPError):
        fetch()
    assert len(file_server.asked) == 1  # asking again would not help
    file_server.status = 503
    with pytest.raises(requests.HTTPError):
        fetch(tries=3)
    assert len(file_server.asked) == 4
    file_server.status, file_server.headers = None, {'Content-Type': 'text/html; charset=utf-8'}
    with pytest.raises(UserError, match='web page'):
        fetch()
    with pytest.raises(requests.ConnectionError):
        closed = ResumingDownloader(tmp_path / 'b.part', tries=2, wait=0)
        closed('http://127.0.0.1:1/a', tmp_path / 'b', None)


def test_a_full_disk_is_told_before(fetch, monkeypatch):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(resuming_download.shutil, 'disk_usage', lambda path: usage(1, 1, 1000))
    with pytest.raises(UserError, match='300,000 bytes .* and 1,000 are free'):
        fetch()
