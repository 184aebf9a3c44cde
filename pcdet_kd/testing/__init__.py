"""The contracts of backbones, losses, teachers and data sets, as checks for tests: ours and those
of plug-in authors.

Each check runs the part on small random inputs, leaves the part as it was, and raises
``AssertionError`` with a message that says what to fix::

    from pcdet_kd.testing import check_backbone

    def test_my_backbone():
        check_backbone(dict(type='MyBackbone', width=8))
"""

from pcdet_kd.testing.backbone import check_backbone, random_clouds, random_views
from pcdet_kd.testing.dataset import check_dataset
from pcdet_kd.testing.layouts import write_tiny_layouts
from pcdet_kd.testing.loss import check_loss
from pcdet_kd.testing.teacher import check_teacher

__all__ = [
    'check_backbone',
    'check_dataset',
    'check_loss',
    'check_teacher',
    'random_clouds',
    'random_views',
    'write_tiny_layouts',
]
