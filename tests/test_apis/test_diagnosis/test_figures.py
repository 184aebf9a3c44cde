from xml.etree import ElementTree

from pcdet_kd.apis.diagnosis.figures import class_recalls, reliability_diagrams, similarity_map
from pcdet_kd.visualization.svg import WIDTH


def texts(image):
    return [node.text for node in ElementTree.fromstring(image).iter('text')]


def bars(image):
    return list(ElementTree.fromstring(image).iter('rect'))


def test_reliability(content):
    image = reliability_diagrams(content['models'])
    assert 'ECE 13.3 %' in texts(image) or any('ECE' in t for t in texts(image))
    filled = sum(entry['count'] > 0 for m in content['models'] for entry in m['bins'])
    assert len(bars(image)) == filled
    assert all(float(b.get('x')) + float(b.get('width')) <= WIDTH for b in bars(image))
    tall = bars(
        reliability_diagrams(
            [
                dict(
                    name='m',
                    ece=1.0,
                    bins=[
                        dict(count=4, confidence=0.5, accuracy=0.25),
                        dict(count=2, confidence=0.9, accuracy=1.0),
                    ],
                )
            ]
        )
    )
    assert float(tall[1].get('height')) == 4 * float(tall[0].get('height'))


def test_classes_with_shapes_are_shown_by_their_change(content):
    found = texts(class_recalls(content))
    assert not any('unseen' in text for text in found)
    assert {'a (20)', 'b (20)', 'c (20)'} <= {*found}
    one = class_recalls(dict(content, models=content['models'][-1:]))
    assert 'teacher image' not in texts(one)


def test_similarity(content):
    found = texts(similarity_map(content['similarity'][0]))
    assert '1.00' in found and '–' in found and 'stage 1' in found
