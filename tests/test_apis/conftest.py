"""A server of files whose connections break as a test wants them to."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class FileServer(ThreadingHTTPServer):
    """Serves ``files`` (content by path); ``drop`` is after how many bytes the next answers end.

    Attributes:
        asked: Path and ``Range`` header of every request.
        drops: Number of bytes after which each of the next answers breaks off.
        ranges: Whether parts of files are sent.
        headers: Sent with every answer.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Handler)
        self.files, self.asked, self.drops, self.ranges, self.headers = {}, [], [], True, {}
        self.status = None

    def url(self, path):
        return f'http://127.0.0.1:{self.server_port}{path}'


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, span = self.server, self.headers.get('Range')
        server.asked.append((self.path, span))
        content = server.files.get(self.path)
        if content is None or server.status:
            self.send_error(server.status or 404)
            return
        mark = '"' + hashlib.sha256(content).hexdigest()[:8] + '"'
        start = int(span[6:-1]) if span and server.ranges else 0
        if span and self.headers.get('If-Range') != mark:
            start = 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header('Content-Range', f'bytes {start}-{len(content) - 1}/{len(content)}')
        self.send_header('Content-Length', str(len(content) - start))
        for name, value in {'ETag': mark, **server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        most = server.drops.pop(0) if server.drops else None
        self.wfile.write(content[start:][:most])

    def log_message(self, *args):
        pass


@pytest.fixture
def file_server():
    """A :class:`FileServer` on this machine."""
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs=dict(poll_interval=0.01))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
