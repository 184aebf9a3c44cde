from types import SimpleNamespace

import pytest

from pcdet_kd.distillers.widths import check_width, feature_width


def test_the_width_of_students_and_teachers():
    assert feature_width(SimpleNamespace(feat_channels=3)) == 3
    assert feature_width(SimpleNamespace(head=SimpleNamespace(feat_channels=4))) == 4
    assert feature_width(SimpleNamespace()) is None


def test_widths_that_are_known_must_be_the_same():
    for width, needed in ((3, 3), (None, 3), (3, None)):
        check_width(None, 'part', width, 'that', needed)
    with pytest.raises(ValueError, match='list: part is 3, expected 4, the width of that'):
        check_width([], 'part', 3, 'that', 4)
