"""What a doctor says: facts in sections, and findings with the line that mends each."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError
from pcdet_kd.visualization import comparison_table

_WIDTH = 100
LEVELS = ('broken', 'warning', 'note')  # the worst first


@dataclass(frozen=True)
class Finding:
    """Something that a person should know.

    Attributes:
        level: ``'broken'``: it cannot be used as it is. ``'warning'``: it can, and is slow or not
            what one would expect. ``'note'``: good to know.
        about: File, package or key.
        text: What was found, in one sentence.
        fix: What to do about it, a command where there is one; empty if nothing needs to be done.
    """

    level: str
    about: str
    text: str
    fix: str = ''

    def __post_init__(self) -> None:
        check_choice('level', self.level, LEVELS)


@dataclass
class Report:
    """Facts and findings.

    Attributes:
        subject: What was looked at.
        sections: Facts by title: a dict, or a list of dicts, which is shown as a table. Numbers of
            bytes have keys that end in ``_bytes``, seconds ``_s``.
        findings: In the order in which they were made.
    """

    subject: str
    sections: dict[str, dict | list[dict]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_broken(self) -> bool:
        """Whether something cannot be used as it is."""
        return any(finding.level == 'broken' for finding in self.findings)

    def add(self, level: str, about: object, text: str, fix: str = '') -> None:
        """Add a finding, see :class:`Finding`."""
        self.findings.append(Finding(level, str(about), text, fix))

    def add_error(self, error: Exception, about: object = '') -> None:
        """Add an error as a finding that breaks."""
        if isinstance(error, DataError):
            file, found, expected, fix = error.args
            self.add('broken', file, f'found {found}, expected {expected}', fix)
        else:
            self.add('broken', about, ' '.join(str(error).split()))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return dict(
            subject=self.subject,
            broken=self.is_broken,
            sections=self.sections,
            findings=[asdict(finding) for finding in self.findings],
        )

    def text(self) -> str:
        """Return the report as lines for people, findings last and the worst of them first."""
        parts = [self.subject]
        for title, facts in self.sections.items():
            if facts:
                lines = _table(facts) if isinstance(facts, list) else _lines(facts)
                parts.append(f'{title}\n{lines}')
        ordered = sorted(self.findings, key=lambda finding: LEVELS.index(finding.level))
        if ordered:
            parts.append('\n'.join(map(_finding, ordered)))
        return '\n\n'.join([*parts, self._verdict()])

    def _verdict(self) -> str:
        counts = {level: sum(f.level == level for f in self.findings) for level in LEVELS}
        said = [
            f'{counts["broken"]} broken' if counts['broken'] else 'nothing is broken',
            f'{counts["warning"]} warning{"s" * (counts["warning"] != 1)}',
        ]
        return ', '.join(said)


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
    return str(value)


def _lines(facts: Mapping[str, Any]) -> str:
    rows = [shown(key, value) for key, value in facts.items()]
    width = max(len(name) for name, _ in rows)
    return '\n'.join(
        textwrap.fill(
            value,
            _WIDTH,
            initial_indent=f'  {name:{width}}  ',
            subsequent_indent=' ' * (width + 4),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, value in rows
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    return comparison_table([dict(shown(*item) for item in row.items()) for row in rows])


def _finding(finding: Finding) -> str:
    about = f'{finding.about}: ' if finding.about else ''
    fix = f'\n           fix: {finding.fix}' if finding.fix else ''
    return f'  {finding.level:8} {about}{finding.text}{fix}'
