"""A table of the tiny configs."""

from pathlib import Path

import pytest

from pcdet_kd.apis.tables import Settings, TableResult, Unit, read_table

TABLE = """
title = 'Tiny'
note = 'Nothing is published.'
metrics = ('accuracy', 'mean_class_accuracy')
columns = dict(few='few', many='many clouds')
reference = 'alone'
_sizes = dict(few=18, many=24)
_cells = {name: dict(options=dict(num=num)) for name, num in _sizes.items()}
rows = [
    dict(label='alone', config='tiny_pointcmt.py', alone=True, cells=_cells),
    dict(label='CE', config='tiny_pointcmt.py', cells=_cells, options={'model.feature_enhancement': False}),
    dict(
        label='both',
        config='tiny_pointcmt.py',
        cells=dict(few=dict(_cells['few'], published=dict(accuracy='88.1 ± 0.2')), many=_cells['many']),
    ),
]
"""  # noqa: E501


@pytest.fixture
def tiny_table(tiny_configs):
    """A table of three rows and two columns; its runs are made in the current directory."""
    file = tiny_configs / 'tiny_table.py'
    file.write_text(TABLE)
    return file


@pytest.fixture
def result():
    """Make the result of a table whose runs are told."""

    def make(table, seeds=(0, 1), work_dirs=None, figures=()):
        spec = read_table(table)
        settings = Settings(Path('runs'))
        units = [
            Unit(cell, seed, settings)
            for seed in seeds
            for cell in spec.cells.values()
            if cell.config
        ]
        found = TableResult(spec, units, tuple(seeds))
        found.__dict__.update(work_dirs=work_dirs or {}, figures=list(figures))
        return found

    return make
