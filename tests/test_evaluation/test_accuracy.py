import json

import numpy as np
import pytest
import torch

from pcdet_kd.evaluation import PointAccuracy, class_table
from pcdet_kd.registry import METRICS
from pcdet_kd.structures import PointDataSample

CLASSES = ('bag', 'bin', 'box')
# truth, voted prediction, plain prediction
CASES = [(0, 0, 0), (0, 1, 0), (0, 0, 0), (1, 1, 2), (1, 1, 1)]


def make_sample(idx, gt, pred, plain=None):
    sample = PointDataSample(metainfo=dict(sample_idx=idx, sample_id=f'cloud{idx}')).set_gt_label(
        gt
    )
    sample.set_pred_score(torch.eye(3)[pred] * 0.7 + 0.1)
    if plain is not None:
        sample.set_field(torch.eye(3)[plain], 'plain_score', dtype=torch.Tensor)
    return sample.to_dict()


def run(metric, voted=False):
    metric.dataset_meta = dict(classes=CLASSES)
    metric.process(
        None,
        [
            make_sample(i, gt, pred, plain if voted else None)
            for i, (gt, pred, plain) in enumerate(CASES)
        ],
    )
    return metric.evaluate(len(CASES))


def test_plain_accuracy():
    metric = METRICS.build(dict(type='PointAccuracy'))
    assert run(metric) == {
        'accuracy': pytest.approx(80.0),
        'mean_class_accuracy': pytest.approx((200 / 3 + 100) / 2),
    }
    assert metric.matrix.tolist() == [[2, 1, 0], [0, 2, 0], [0, 0, 0]]


def test_plain_and_voted_side_by_side():
    assert run(PointAccuracy(), voted=True) == {
        'accuracy': pytest.approx(80.0),
        'mean_class_accuracy': pytest.approx(75.0),
        'accuracy_voted': pytest.approx(80.0),
        'mean_class_accuracy_voted': pytest.approx((200 / 3 + 100) / 2),
    }


def test_only_samples_with_a_label_count():
    metric = PointAccuracy()
    metric.dataset_meta = dict(classes=CLASSES)
    unknown = make_sample(2, 0, 1)
    del unknown['gt_label']
    metric.process(None, [make_sample(0, 0, 0), make_sample(1, 1, 0), unknown])
    assert metric.evaluate(3)['accuracy'] == pytest.approx(50.0)
    metric.process(None, [{**unknown, 'sample_idx': 0}])
    with pytest.raises(ValueError, match='no sample has a label'):
        metric.evaluate(1)


def test_absent_classes_and_table_are_logged(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'pcdet_kd.evaluation.accuracy.print_log', lambda text, logger: lines.append(text)
    )
    run(PointAccuracy(per_class=True))
    assert lines[0] == 'mean_class_accuracy is the mean over 2 of 3 classes; without samples: box'
    assert 'most often taken for' in lines[1] and len(lines) == 2


def test_class_table():
    rows = class_table(np.array([[2, 1, 0], [0, 2, 0], [0, 0, 0]]), list(CLASSES)).splitlines()
    cells = [[cell.strip() for cell in row.strip('|').split('|')] for row in rows]
    assert cells[2] == ['bag', '3', '66.67', '100.00', 'bin (1)']
    assert cells[4] == ['box', '0', '-', '-', '-']


def test_files(tmp_path):
    out = tmp_path / 'run' / 'test'
    run(PointAccuracy(out_dir=str(out), dump='predictions.json'), voted=True)
    assert {file.name for file in out.iterdir()} == {
        'confusion_matrix.json',
        'confusion_matrix.npy',
        'confusion_matrix.png',
        'predictions.json',
    }
    content = json.loads((out / 'confusion_matrix.json').read_text())
    assert content['classes'] == list(CLASSES)
    assert (
        content['matrix']
        == np.load(out / 'confusion_matrix.npy').tolist()
        == [[2, 1, 0], [0, 2, 0], [0, 0, 0]]
    )
    predictions = json.loads((out / 'predictions.json').read_text())['predictions']
    assert predictions[1] == dict(
        sample_id='cloud1', gt=0, pred=1, score=pytest.approx(0.8), plain_pred=0
    )
    assert [p['sample_id'] for p in predictions] == [f'cloud{i}' for i in range(5)]


def test_nothing_is_written_without_out_dir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(PointAccuracy(per_class=True))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['pred_score', 'plain_score'])
def test_broken_scores_are_refused(name):
    sample = make_sample(3, 0, 1, plain=0)
    sample[name][2] = float('nan')
    with pytest.raises(ValueError, match=rf"{name} of sample 3 \('cloud3'\) holds NaN"):
        PointAccuracy().process(None, [sample])


def test_classes_are_needed():
    metric = PointAccuracy()
    metric.process(None, [make_sample(0, 0, 0)])
    with pytest.raises(ValueError, match="no 'classes'"):
        metric.evaluate(1)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(dump='predictions.json'), 'out_dir is not set'),
        (dict(dump='predictions.pkl', out_dir='x'), 'must end with .json'),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        PointAccuracy(**arguments)
