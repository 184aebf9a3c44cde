"""Tables of configs: trained with several seeds, and written beside published numbers."""

from pcdet_kd.apis.tables.result import Figure, TableResult
from pcdet_kd.apis.tables.run import run_table
from pcdet_kd.apis.tables.spec import Cell, TableSpec, read_table
from pcdet_kd.apis.tables.unit import Settings, Unit
from pcdet_kd.apis.tables.write import write_table

__all__ = [
    'Cell',
    'Figure',
    'Settings',
    'TableResult',
    'TableSpec',
    'Unit',
    'read_table',
    'run_table',
    'write_table',
]
