from xml.etree import ElementTree

import pytest

from pcdet_kd.robustness.report.dots import class_drops, differences
from pcdet_kd.visualization.svg import WIDTH


def test_classes_with_the_largest_drop_come_first(report_of, texts, inside):
    model = report_of()['models'][0]
    model['per_class'] = [
        dict(name='a_b', n=3, clean=90.0, corrupted=80.0),
        dict(name='c', n=4, clean=95.0, corrupted=20.0),
    ]
    picture = class_drops(model)
    shown = texts(picture)
    assert shown.index('c (4)') < shown.index('a b (3)') and '−75.0' in shown and inside(picture)
    dots = [float(node.get('cx')) for node in ElementTree.fromstring(picture).iter('circle')][-4:]
    span = WIDTH - 150 - 74
    assert dots == pytest.approx([150 + span * v / 100 for v in (95, 20, 90, 80)], abs=0.01)
    model['per_class'] = [dict(name='c', n=4, clean=None, corrupted=20.0)]
    assert 'clean' not in texts(class_drops(model))


def test_differences_are_filled_where_the_interval_excludes_zero(report_of, texts, inside):
    comparison = dict(
        model='b',
        reference='a',
        OA=[1.0, 0.5, 1.5],
        corruptions=dict(x=[1.0, -1.0, 3.0], y=[-2.0, -3.0, -1.0]),
    )
    picture = differences(comparison, 0.95)
    dots = list(ElementTree.fromstring(picture).iter('circle'))
    assert [dot.get('fill') == '#fff' for dot in dots] == [True, False, False] and inside(picture)
    places = [float(dot.get('cx')) for dot in dots]
    assert places[1] < places[0] == places[2] and {'+1.0', '−2.0'} <= set(texts(picture))
    assert inside(differences(dict(comparison, OA=[0.0, 0.0, 0.0], corruptions={}), 0.95))
    assert inside(differences(dict(comparison, OA=[90.0, -90.0, 95.0], clean=[0, 0, 0]), 0.95))


def test_a_model_that_is_always_wrong(report_of, inside):
    assert inside(class_drops(report_of(plain=[-1.0])['models'][0]))
