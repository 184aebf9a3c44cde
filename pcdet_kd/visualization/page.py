"""The frame of all pages: one HTML file with its looks and scripts in it, and nothing to load."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

_SECTION = re.compile(r'<section[^>]* id="(\w+)">(?:<div[^>]*>)?<h2>(.*?)</h2>')
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {scripts}"


def asset(name: str) -> str:
    """Return the text of a style sheet or script that lies beside this file."""
    return files('pcdet_kd.visualization').joinpath(name).read_text(encoding='utf-8')


def page(
    title: str,
    body: Sequence[str],
    scripts: Sequence[str] = (),
    styles: Sequence[str] = (),
    wide: bool = False,
) -> str:
    """Return a page that opens from a file, off line, and prints on A4.

    The page forbids the browser to load anything, and to run any script but those given here.

    Args:
        title: Of the window, as plain text.
        body: The parts, as HTML; empty ones are left out.
        scripts: Names of scripts beside this file, run in this order after the body.
        styles: Names of style sheets beside this file, after the one of all pages.
        wide: Whether pictures may use a wide screen; text keeps the width of a column.
    """
    texts = [asset(name) for name in scripts]
    hashes = ' '.join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in texts
    )
    policy = _POLICY.format(scripts=hashes or "'none'")
    looks = ''.join(asset(name) for name in ('page.css', *styles))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<style>\n{looks}</style>\n</head>\n'
        f'<body{" class=wide-page" if wide else ""}>\n'
        + '\n'.join(filter(None, body))
        + ''.join(f'\n<script>{text}</script>' for text in texts)
        + '\n</body>\n</html>\n'
    )


def contents(body: Sequence[str]) -> str:
    """Return the navigation of a page: a link to each section of the body that has an ``id`` and
    begins with a heading. On a wide screen it stays beside the text.
    """
    found = [link for part in body for link in _SECTION.findall(part)]
    links = ''.join(f'<a href="#{name}">{title}</a>' for name, title in found)
    return f'<nav aria-label="Contents">{links}</nav>'


def header(kind: str, title: str, lead: str = '') -> str:
    """Return the top of a page: what kind of page it is, its title, and its outcome."""
    words = f'\n<p class="lead">{escape(lead)}</p>' if lead else ''
    return f'<header><p class="kind">{escape(kind)}</p>\n<h1>{escape(title)}</h1>{words}</header>'


def protocol(title: str, entries: Mapping[str, Any]) -> str:
    """Return a box that says how the page's numbers were made, an entry a line."""
    items = ''.join(
        f'<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>' for key, value in entries.items()
    )
    head = f'<h2>{escape(title)}</h2>'
    return f'<section class="protocol" id="protocol">{head}<dl>{items}</dl></section>'
