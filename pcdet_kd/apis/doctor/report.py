"""What a doctor says: facts in sections, and findings with the line that mends each."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from pcdet_kd.apis.doctor.text import facts_text, wrapped
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError

LEVELS = ('broken', 'warning', 'note')  # the worst first
_MOST = 30  # findings that are shown to people


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
            bytes have keys that end in ``_bytes``, seconds ``_s``. A value that is a dict of dicts
            is shown as columns.
        findings: In the order in which they were made.
        next: The command that one would give next, if nothing is broken.
    """

    subject: str
    sections: dict[str, dict | list[dict]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    next: str = ''

    @property
    def is_broken(self) -> bool:
        """Whether something cannot be used as it is."""
        return any(finding.level == 'broken' for finding in self.findings)

    def add(self, level: str, about: object, text: str, fix: str = '') -> None:
        """Add a finding, see :class:`Finding`, unless it is there already."""
        finding = Finding(level, str(about), text, fix)
        if finding not in self.findings:
            self.findings.append(finding)

    def add_error(self, error: Exception, about: object = '') -> None:
        """Add an error as a finding that breaks."""
        if isinstance(error, DataError):
            file, found, expected, fix = error.args
            self.add('broken', file, f'found {found}, expected {expected}', fix)
        else:
            text = ' '.join(str(error).split())
            self.add('broken', '' if text.startswith(str(about)) else about, text)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return dict(
            subject=self.subject,
            broken=self.is_broken,
            sections=_json(self.sections),
            findings=[asdict(finding) for finding in self.findings],
            next='' if self.is_broken else self.next,
        )

    def text(self) -> str:
        """Return the report as lines for people, findings last and the worst of them first."""
        parts = [self.subject]
        for title, facts in self.sections.items():
            if facts:
                parts.append(f'{title}\n{facts_text(facts)}')
        ordered = sorted(self.findings, key=lambda finding: LEVELS.index(finding.level))
        if ordered:
            lines = [_finding(finding) for finding in ordered[:_MOST]]
            if len(ordered) > _MOST:
                lines.append(f'  and {len(ordered) - _MOST} more, which --json shows')
            parts.append('\n'.join(lines))
        parts.append(self._verdict())
        if self.next and not self.is_broken:
            parts.append(f'next: {self.next}')
        return '\n\n'.join(parts)

    def _verdict(self) -> str:
        counts = {level: sum(f.level == level for f in self.findings) for level in LEVELS}
        said = [
            f'{counts["broken"]} broken' if counts['broken'] else 'nothing is broken',
            f'{counts["warning"]} warning{"s" * (counts["warning"] != 1)}',
        ]
        return ', '.join(said)


def _json(value: Any) -> Any:
    """Return a value with None for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finding(finding: Finding) -> str:
    about = f'{finding.about}: ' if finding.about else ''
    text = wrapped(f'  {finding.level:8} ', about + finding.text)
    # a command must stay in one line, to be copied
    return f'{text}\n           fix: {finding.fix}' if finding.fix else text
