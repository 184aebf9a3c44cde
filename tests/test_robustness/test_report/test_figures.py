import re
from xml.etree import ElementTree

import pytest

from pcdet_kd.robustness.report import figures
from pcdet_kd.robustness.report.figures import (
    accuracy_map,
    class_drops,
    curves,
    difference_map,
    differences,
)
from pcdet_kd.robustness.report.tables import pretty, signed

NS = '{http://www.w3.org/2000/svg}'


def texts(picture):
    return [node.text for node in ElementTree.fromstring(picture).iter('text')]


def inside(picture):
    """Whether all that is drawn is within the picture."""
    tree = ElementTree.fromstring(picture)
    width, height = map(float, tree.get('viewBox').split()[2:])
    for node in tree.iter():
        for x, y in (('x', 'y'), ('cx', 'cy'), ('x1', 'y1'), ('x2', 'y2')):
            if node.get(x) is not None:
                assert 0 <= float(node.get(x)) <= width and -0.1 <= float(node.get(y)) <= height, (
                    ElementTree.tostring(node)
                )
        for pair in (node.get('points') or '').split():
            assert (
                0 <= float(pair.split(',')[0]) <= width and 0 <= float(pair.split(',')[1]) <= height
            )
    return True


@pytest.mark.parametrize('suite', ['modelnet-c', 'modelnet40-c'])
def test_heat_map_shows_every_accuracy(report_of, suite):
    report = report_of(suite)
    model = report['models'][0]
    picture = accuracy_map(report, model)
    shown = texts(picture)
    for entry in report['corruptions']:
        for severity in report['severities']:
            assert f'{model["sets"][entry["name"]][str(severity)]["oa"]:.1f}' in shown
        assert (
            pretty(entry['name']) + ('*' if entry['name'] in ('occlusion', 'lidar') else '')
            in shown
        )
    cells = len(report['corruptions']) * (len(report['severities']) + 1)
    assert sum(bool(re.fullmatch(r'\d+\.\d', t)) for t in shown) == cells and inside(picture)


def test_darkness_is_the_error(report_of):
    report = report_of()
    model = report['models'][0]
    model['sets']['scale'] = {
        str(s): dict(oa=oa) for s, oa in enumerate((100.0, 75.0, 50.0, 25.0, 0.0))
    }
    tree = ElementTree.fromstring(accuracy_map(report, model))
    fills = [node.get('fill') for node in tree.iter('rect') if node.get('width') == '72'][:5]
    assert fills[0] == '#ffffff' and len(set(fills)) == 5
    assert fills == sorted(fills, key=lambda c: -int(c[3:5], 16))


def test_difference_map(report_of):
    report = report_of(plain=[0.6], ours=[0.95])
    plain, ours = report['models']
    picture = difference_map(report, ours, plain)
    assert signed(ours['sets']['rotate']['3']['oa'] - plain['sets']['rotate']['3']['oa']) in texts(
        picture
    ) and inside(picture)
    same = difference_map(report, plain, plain)
    assert texts(same).count('0.0') == 43  # 35 cells, 7 means, and the middle of the legend
    assert {
        node.get('fill')
        for node in ElementTree.fromstring(same).iter('rect')
        if node.get('width') == '72'
    } >= {'#ffffff'}


def test_curves(report_of):
    report = report_of('modelnet40-c', plain=[0.6], ours=[0.95])
    picture = curves(report)
    lines = list(ElementTree.fromstring(picture).iter('polyline'))
    assert (
        len(lines) == 30 and inside(picture) and {'plain', 'ours', 'clean'} <= set(texts(picture))
    )
    heights = [float(pair.split(',')[1]) for pair in lines[0].get('points').split()]
    values = [report['models'][0]['sets']['occlusion'][str(s)]['oa'] for s in report['severities']]
    assert len(heights) == 5 and sorted(range(5), key=lambda i: heights[i]) == sorted(
        range(5), key=lambda i: -values[i]
    )
    for attribute in ('stroke', 'stroke-dasharray'):
        assert lines[0].get(attribute) != lines[1].get(attribute)
    assert inside(curves(report_of('modelnet40-c', options=dict(clean=False))))


def test_a_long_legend_takes_several_lines(report_of):
    names = {f'm{i}': f'a model with a long name, number {i}' for i in range(7)}
    picture = curves(report_of(names=names, draws=5, **{key: [0.8] for key in names}))
    places = [
        (float(node.get('x')), float(node.get('y')))
        for node in ElementTree.fromstring(picture).iter('text')
        if node.text in names.values()
    ]
    assert len({y for _, y in places}) == 4 and all(x + 6 * 33 < figures.WIDTH for x, _ in places)
    titles = [
        float(node.get('y'))
        for node in ElementTree.fromstring(picture).iter('text')
        if node.text == 'scale'
    ]
    assert titles[0] > max(y for _, y in places) + 10


def test_a_model_without_mistakes_fits_the_panels(report_of):
    report = report_of(plain=[3.0])
    assert inside(curves(report)) and inside(accuracy_map(report, report['models'][0]))
    report = report_of(plain=[-1.0])
    assert inside(curves(report)) and inside(class_drops(report['models'][0]))


def test_classes_with_the_largest_drop_come_first(report_of):
    model = report_of()['models'][0]
    model['per_class'] = [
        dict(name='a_b', n=3, clean=90.0, corrupted=80.0),
        dict(name='c', n=4, clean=95.0, corrupted=20.0),
    ]
    picture = class_drops(model)
    shown = texts(picture)
    assert shown.index('c (4)') < shown.index('a b (3)') and '−75.0' in shown and inside(picture)
    dots = [float(node.get('cx')) for node in ElementTree.fromstring(picture).iter('circle')][-4:]
    span = figures.WIDTH - 150 - 74
    assert dots == pytest.approx([150 + span * v / 100 for v in (95, 20, 90, 80)], abs=0.01)
    model['per_class'] = [dict(name='c', n=4, clean=None, corrupted=20.0)]
    assert 'clean' not in texts(class_drops(model))


def test_differences_are_filled_where_the_interval_excludes_zero(report_of):
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
