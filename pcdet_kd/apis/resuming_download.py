"""Fetching one file over HTTP in as many pieces as the connection needs."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import requests

from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.files import write_whole
from pcdet_kd.utils.progress import progress_bar

_BLOCK = 1 << 14  # so much at most is lost when a connection breaks


class ResumingDownloader:
    """A downloader for :func:`pooch.retrieve` that goes on where the last attempt stopped.

    What has arrived is kept in a file of its own, also when the process ends; the next call with
    the same file asks the server for the rest only. It starts anew where the server cannot do that,
    or where the file on the server has changed meanwhile.

    Args:
        part: The file for what has arrived. A ``.json`` beside it says what it is a part of.
        tries: How many attempts in a row may fail without getting further than before.
        wait: Seconds before the second attempt; each further one waits twice as long.
        timeout: Seconds to wait for a connection, and for each next byte.
    """

    def __init__(self, part: Path, tries: int = 4, wait: float = 1, timeout: float = 20) -> None:
        self.part, self.tries, self.wait, self.timeout = part, tries, wait, timeout
        self.about = part.with_name(f'{part.name}.json')

    def __call__(
        self, url: str, output_file: str | os.PathLike, pooch: Any, check_only: bool = False
    ) -> None:
        """Download to ``output_file``, as pooch asks for it.

        Raises:
            requests.RequestException: The server does not answer, or not with the file.
            UserError: It answers with a web page, or the disk is too small.
        """
        failures, most = 0, self._size()
        while True:
            try:
                self._fetch(url)
                break
            except requests.RequestException as error:
                answer = getattr(error, 'response', None)
                refused = answer is not None and answer.status_code < 500
                failures = 0 if self._size() > most else failures + 1
                if refused or failures >= self.tries:
                    raise
                most = max(most, self._size())
                time.sleep(self.wait * 2 ** max(failures - 1, 0))
        os.replace(self.part, output_file)
        self.about.unlink(missing_ok=True)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _fetch(self, url: str) -> None:
        """Get what is missing; an error leaves what has arrived in the file."""
        known = self._known(url)
        headers = {'Accept-Encoding': 'identity'}
        if known:
            headers |= {'Range': f'bytes={self._size()}-', 'If-Range': known}
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                self.part.unlink()  # it is longer than the file: not a part of it
                raise requests.ConnectionError(f'{url} is shorter than what was here of it')
            answer.raise_for_status()
            if 'html' in answer.headers.get('Content-Type', ''):
                raise UserError(f'{url} answers with a web page, not with a file')
            start, total = self._begin(answer)
            self._remember(url, answer)
            self._receive(answer, start, total)

    def _begin(self, answer: requests.Response) -> tuple[int, int | None]:
        """Return from which byte on the server sends, and the size of the whole file."""
        length = answer.headers.get('Content-Length')
        start = 0
        if answer.status_code == requests.codes.partial_content:
            span = answer.headers.get('Content-Range', '')
            start = self._size()
            if not span.startswith(f'bytes {start}-'):
                self.part.unlink()
                raise requests.ConnectionError(f"the server sent '{span}', not from {start} on")
        total = start + int(length) if length and length.isdecimal() else None
        free = shutil.disk_usage(self.part.parent).free
        if total is not None and total - start > free:
            text = f'{total - start:,} bytes are to be downloaded, and {free:,} are free on the'
            raise UserError(f'{text} disk of {self.part.parent}. Free some space')
        return start, total

    def _receive(self, answer: requests.Response, start: int, total: int | None) -> None:
        bar = progress_bar(
            desc=self.part.stem,
            initial=start,
            total=total,
            unit='B',
            unit_scale=True,
            disable=None,
        )
        with bar, open(self.part, 'ab' if start else 'wb') as file:
            for block in answer.iter_content(_BLOCK):
                file.write(block)
                bar.update(len(block))
        if total is not None and self._size() != total:
            raise requests.ConnectionError(f'{self._size():,} of {total:,} bytes arrived')

    def _known(self, url: str) -> str | None:
        """Return by which mark the server can tell whether the rest still belongs to what is here;
        None if it cannot, or if nothing is here.
        """
        if not self._size() or not self.about.is_file():
            return None
        try:
            about = json.loads(self.about.read_text(encoding='utf-8'))
            return about['mark'] if about['url'] == url else None
        except (ValueError, KeyError, TypeError):  # cut by the end of a process
            return None

    def _remember(self, url: str, answer: requests.Response) -> None:
        mark = answer.headers.get('ETag', '')
        if not mark or mark.startswith('W/'):  # a weak one does not promise the same bytes
            mark = answer.headers.get('Last-Modified')
        write_whole(self.about, json.dumps(dict(url=url, mark=mark)))
