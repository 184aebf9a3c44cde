"""Tables that read well in a terminal and render as markdown."""

import math
import re
from collections.abc import Mapping, Sequence

NUMBER = re.compile(r'[-+]?[\d,]*\.?\d+')


def comparison_table(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None, decimals: int = 2
) -> str:
    """Lay out rows as an aligned markdown table.

    Args:
        rows: A dict per row, for example ``{'model': 'student', 'accuracy': 71.3, 'accuracy (10
            votes)': 72.0}``.
        columns: Keys to show, in this order; without it, all keys in the order in which they first
            occur.
        decimals: Of floating-point values.

    Returns:
        The header, a rule, and a line per row, without a final newline. Columns of numbers, written
        out or not, are right-aligned; a missing value, None and NaN are shown as ``-``.

    Raises:
        ValueError: There is no row, or no row has one of the columns.
    """
    if not rows:
        raise ValueError('a table needs at least one row')
    known = list(dict.fromkeys(key for row in rows for key in row))
    columns = list(columns) if columns is not None else known
    for name in columns:
        if name not in known:
            raise ValueError(f"no row has the column '{name}', there are {known}")

    def is_number(value: object) -> bool:
        if isinstance(value, str):
            return NUMBER.fullmatch(value) is not None
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    def show(value: object) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return '-'
        return (
            f'{value:.{decimals}f}' if isinstance(value, float) else str(value).replace('|', '\\|')
        )

    cells = [[show(row.get(name)) for name in columns] for row in rows]
    widths = [
        max(3, len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(columns)
    ]
    right = [all(row.get(name) is None or is_number(row[name]) for row in rows) for name in columns]

    def line(values: Sequence[str]) -> str:
        return (
            '| '
            + ' | '.join(v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right))
            + ' |'
        )

    rule = (
        '|'
        + '|'.join('-' * (w + 1) + ':' if r else '-' * (w + 2) for w, r in zip(widths, right))
        + '|'
    )
    return '\n'.join([line(columns), rule, *(line(values) for values in cells)])
