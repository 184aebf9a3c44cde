"""The generator behind :class:`~pcdet_kd.datasets.SyntheticScans`: shapes, scenes, a scan simulator
and a cache.
"""

from pcdet_kd.datasets.synthetic import containers, fixtures, seating, storage, tables
from pcdet_kd.datasets.synthetic.generate import (
    GENERATOR_VERSION,
    VARIANTS,
    Sample,
    label_of,
    make_sample,
    object_mesh,
)
from pcdet_kd.datasets.synthetic.h5_writer import write_scanobjectnn
from pcdet_kd.datasets.synthetic.mesh import Mesh, merge, rotation
from pcdet_kd.datasets.synthetic.parallel import make_samples
from pcdet_kd.datasets.synthetic.primitives import Solid
from pcdet_kd.datasets.synthetic.scan_simulator import Scan, scan, visible
from pcdet_kd.datasets.synthetic.scene import furnish
from pcdet_kd.datasets.synthetic.shapes import PART_NAMES, PARTS, build_mesh

__all__ = [
    'GENERATOR_VERSION',
    'PARTS',
    'PART_NAMES',
    'VARIANTS',
    'Mesh',
    'Sample',
    'Scan',
    'Solid',
    'build_mesh',
    'containers',
    'fixtures',
    'furnish',
    'label_of',
    'make_sample',
    'make_samples',
    'merge',
    'object_mesh',
    'rotation',
    'scan',
    'seating',
    'storage',
    'tables',
    'visible',
    'write_scanobjectnn',
]
