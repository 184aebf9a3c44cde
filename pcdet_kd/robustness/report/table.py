"""A table of ready-made cells, as HTML, markdown or LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

_LATEX = {
    '\\': r'\textbackslash{}',
    '&': r'\&',
    '%': r'\%',
    '$': r'\$',
    '#': r'\#',
    '_': r'\_',
    '{': r'\{',
    '}': r'\}',
    '~': r'\textasciitilde{}',
    '^': r'\textasciicircum{}',
    '±': r'$\pm$',
    '−': '$-$',
    '–': '--',
}


@dataclass
class Table:
    """Cells as text, with the numbers already formatted.

    Args:
        caption: What the table shows.
        header: Column names. The first column names the rows; it is left-aligned, the others are
            right-aligned.
        rows: Cells, as many per row as names in the header.
        bold: Cells (row, column) to set in bold.
        rules: Rows before which a rule separates groups.
        label: Label of the LaTeX table.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    bold: set[tuple[int, int]] = field(default_factory=set)
    rules: set[int] = field(default_factory=set)
    label: str = ''

    def __post_init__(self) -> None:
        odd = [row for row in self.rows if len(row) != len(self.header)]
        if odd:
            raise ValueError(
                f'{len(odd[0])} cells in the row {odd[0]!r}, {len(self.header)} columns'
            )

    def html(self) -> str:
        """Return a ``<table>``."""
        head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in self.header)
        body, rule = [], ' class="rule"'
        for i, row in enumerate(self.rows):
            cells = [f'<th scope="row">{escape(row[0])}</th>']
            for j, cell in enumerate(row[1:], 1):
                value, sign, std = escape(cell).partition(' ± ')
                value = f'<b>{value}</b>' if (i, j) in self.bold else value
                cells.append(
                    f'<td>{value}<small>{sign}{std}</small></td>' if sign else f'<td>{value}</td>'
                )
            body.append(f'<tr{rule if i in self.rules else ""}>{"".join(cells)}</tr>')
        return (
            f'<div class="wide"><table><caption>{escape(self.caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>'  # noqa: E501
            + '\n'.join(body)
            + '</tbody></table></div>'
        )

    def markdown(self) -> str:
        """Return an aligned markdown table, without the caption and without a final newline."""
        cells = [[cell.replace('|', '\\|') for cell in row] for row in (self.header, *self.rows)]
        for i, j in self.bold:
            cells[i + 1][j] = f'**{cells[i + 1][j]}**'
        widths = [max(3, *(len(row[j]) for row in cells)) for j in range(len(self.header))]

        def line(row: Sequence[str]) -> str:
            return (
                '| '
                + ' | '.join(
                    c.rjust(w) if j else c.ljust(w) for j, (c, w) in enumerate(zip(row, widths))
                )
                + ' |'
            )

        rule = (
            '|'
            + '|'.join('-' * (w + 1) + ':' if j else '-' * (w + 2) for j, w in enumerate(widths))
            + '|'
        )
        return '\n'.join([line(cells[0]), rule, *map(line, cells[1:])])

    def latex(self) -> str:
        """Return a ``table`` environment; it needs the package booktabs."""

        def line(row: Sequence[str], number: int) -> str:
            cells = [
                rf'\textbf{{{latex_text(c)}}}' if (number, j) in self.bold else latex_text(c)
                for j, c in enumerate(row)
            ]
            return ' & '.join(cells) + r' \\'

        body = []
        for i, row in enumerate(self.rows):
            body += ([r'\midrule'] if i in self.rules and i else []) + [line(row, i)]
        return '\n'.join(
            [
                r'\begin{table}[t]',
                r'\centering',
                rf'\caption{{{latex_text(self.caption)}}}',
                rf'\label{{tab:{self.label}}}',
                rf'\begin{{tabular}}{{l{"r" * (len(self.header) - 1)}}}',
                r'\toprule',
                line(self.header, -1),
                r'\midrule',
                *body,
                r'\bottomrule',
                r'\end{tabular}',
                r'\end{table}',
            ]
        )


def latex_text(text: str) -> str:
    """Escape what LaTeX would read as commands."""
    return ''.join(_LATEX.get(c, c) for c in text)
