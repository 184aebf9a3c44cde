"""Facts and sentences as lines that read well in a terminal."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from pcdet_kd.visualization import comparison_table

WIDTH = 100
_COLUMNS = 4


def facts_text(facts: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Return facts as lines: a list of dicts as a table; of a dict, a line per value, and what is
    a dict of dicts as columns below.
    """
    if not isinstance(facts, Mapping):
        return comparison_table([dict(shown(*item) for item in row.items()) for row in facts])
    nested = {key: value for key, value in facts.items() if _is_nested(value)}
    plain = {key: value for key, value in facts.items() if key not in nested}
    parts = [_lines(plain)] if plain else []
    for value in nested.values():
        names = list(value)
        for start in range(0, len(names), _COLUMNS):
            parts.append(_columns({name: value[name] for name in names[start : start + _COLUMNS]}))
    return '\n\n'.join(parts)


def _is_nested(value: Any) -> bool:
    """Whether a value is a dict of dicts."""
    return isinstance(value, Mapping) and all(isinstance(v, Mapping) for v in value.values())


def _columns(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return dicts beside each other; what is a dict in them, below, as wrapped lines."""
    keys = dict.fromkeys(key for facts in parts.values() for key in facts)
    below = [key for key in keys if any(isinstance(f.get(key), Mapping) for f in parts.values())]
    rows = [('', *parts)]
    for key in keys:
        if key not in below:
            values = [shown(key, facts.get(key)) for facts in parts.values()]
            rows.append((values[0][0], *(value for _, value in values)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        '  ' + '  '.join(f'{cell:{width}}' for cell, width in zip(row, widths)).rstrip()
        for row in rows
    ]
    for key in below:
        found = {name: facts[key] for name, facts in parts.items() if facts.get(key)}
        lines += ['', f'  {shown(key, None)[0]}', _lines(found, as_it_is=True)]
    return '\n'.join(lines)


def shown(key: str, value: Any) -> tuple[str, str]:
    """Return a fact's name and value as people read them."""
    for end, form in (('_bytes', size_text), ('_s', time_text)):
        if key.endswith(end):
            name = key.removesuffix(end).replace('_', ' ')
            return name, _text(value) if value is None else form(value)
    return key.replace('_', ' '), _text(value)


def size_text(size: float) -> str:
    """Return a number of bytes in a unit that fits, 1 kB being 1,000 bytes."""
    for unit in ('bytes', 'kB', 'MB'):
        if size < 1000:
            break
        size, unit = size / 1000, {'bytes': 'kB', 'kB': 'MB', 'MB': 'GB'}[unit]
    return f'{size:,.0f} {unit}' if unit == 'bytes' or size >= 100 else f'{size:.1f} {unit}'


def time_text(seconds: float) -> str:
    """Return a time in a unit that fits."""
    if seconds < 1:
        return f'{1000 * seconds:.0f} ms'
    for unit, size in (('s', 120), ('min', 120), ('hours', 72)):
        if seconds < size:
            return f'{seconds:.1f} {unit}'
        seconds /= 60 if unit != 'hours' else 24
    return f'{seconds:.1f} days'


def span(values: Sequence[Any]) -> str | None:
    """Return the least and the largest of some numbers as a text, None if there are none."""
    if not len(values):
        return None
    low, high = min(values), max(values)
    return f'{low:,}' if low == high else f'{low:,} to {high:,}'


def _text(value: Any) -> str:
    if value is None:
        return '-'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, int):
        return f'{value:,}'
    if isinstance(value, float):
        return f'{value:.4g}'
    if isinstance(value, Mapping):
        return ', '.join(f'{name} {_text(item)}' for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ', '.join(map(_text, value)) or '-'
    return printable(str(value))


def _lines(facts: Mapping[str, Any], as_it_is: bool = False) -> str:
    """Return a line per value; the names stay ``as_it_is`` where they are not ours."""
    rows = [(key if as_it_is else shown(key, None)[0], shown(key, facts[key])[1]) for key in facts]
    width = max(len(name) for name, _ in rows)
    return '\n'.join(wrapped(f'  {name:{width}}  ', value) for name, value in rows)


def printable(text: str) -> str:
    """Return a text that a file holds, without what a terminal would take for a command."""
    return ''.join(c if c.isprintable() else '?' for c in text)


def wrapped(start: str, text: str) -> str:
    """Return a text that begins with ``start``, in lines of at most 100 columns, the further ones
    below the text.
    """
    return textwrap.fill(
        printable(text),
        WIDTH,
        initial_indent=start,
        subsequent_indent=' ' * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
