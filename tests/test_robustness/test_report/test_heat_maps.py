import re
from xml.etree import ElementTree

import pytest

from pcdet_kd.robustness.report.heat_maps import accuracy_map, difference_map
from pcdet_kd.robustness.report.tables import pretty, signed


@pytest.mark.parametrize('suite', ['modelnet-c', 'modelnet40-c'])
def test_heat_map_shows_every_accuracy(report_of, suite, texts, inside):
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


def test_difference_map(report_of, texts, inside):
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


def test_a_model_without_mistakes(report_of, inside):
    report = report_of(plain=[3.0])
    assert inside(accuracy_map(report, report['models'][0]))
