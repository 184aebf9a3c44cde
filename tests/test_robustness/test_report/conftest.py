from xml.etree import ElementTree

import pytest


@pytest.fixture
def report_of(suite_result):
    """Make a report on models with made-up predictions: ``report_of(plain=[0.8], ours=[0.9,
    0.85])``, accuracies of the runs.
    """
    from pcdet_kd.robustness import robustness_report

    def make(suite='modelnet-c', names=None, draws=200, options=None, **models):
        models = models or dict(plain=[0.8])
        runs = {
            name: [
                suite_result(suite, seed=10 * i + j, accuracy=accuracy, **(options or {}))
                for j, accuracy in enumerate(accuracies)
            ]
            for i, (name, accuracies) in enumerate(models.items())
        }
        return robustness_report(
            {(names or {}).get(name, name): results for name, results in runs.items()}, draws
        )

    return make


@pytest.fixture
def texts():
    """All text in a picture."""
    return _texts


@pytest.fixture
def inside():
    """Whether all that is drawn is within the picture."""
    return _inside


def _texts(picture):
    return [node.text for node in ElementTree.fromstring(picture).iter('text')]


def _inside(picture):
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
