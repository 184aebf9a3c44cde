from xml.etree import ElementTree

import pytest

from pcdet_kd.robustness.report.curves import curves
from pcdet_kd.visualization.svg import WIDTH


def test_curves(report_of, texts, inside):
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
    assert len({y for _, y in places}) == 4 and all(x + 6 * 33 < WIDTH for x, _ in places)
    titles = [
        float(node.get('y'))
        for node in ElementTree.fromstring(picture).iter('text')
        if node.text == 'scale'
    ]
    assert titles[0] > max(y for _, y in places) + 10


@pytest.mark.parametrize('accuracy', [3.0, -1.0])
def test_all_right_and_all_wrong_fit_the_panels(report_of, inside, accuracy):
    assert inside(curves(report_of(plain=[accuracy])))
