import numpy as np
import pytest
import torch

from pcdet_kd.robustness.loop import SetPredictions
from pcdet_kd.robustness.results import SetResult, set_file
from pcdet_kd.robustness.suite_data import SuiteData

CLASSES = dict(classes=('along_x', 'along_y', 'along_z'), up_axis='y')


@pytest.fixture
def dataset(write_suite):
    return SuiteData('modelnet-c', str(write_suite('modelnet-c')), metainfo=CLASSES).build(
        ('jitter', 0)
    )


def predictions(dataset, tmp_path, scores, order):
    metric = SetPredictions(dataset, tmp_path, ('jitter', 0))
    metric.process(None, [dict(sample_idx=i, pred_score=torch.tensor(scores[i])) for i in order])
    return metric.evaluate(len(dataset))


def test_predictions_are_written_in_the_order_of_the_set(dataset, tmp_path):
    scores = np.random.default_rng(0).dirichlet([1, 1, 1], 12).astype(np.float32)
    found = predictions(dataset, tmp_path, scores, [*range(5, 12), *range(5)])
    result = SetResult.read(set_file(tmp_path, ('jitter', 0)))
    assert np.array_equal(result.gt, dataset.labels())
    assert np.array_equal(result.pred, scores.argmax(1))
    assert np.array_equal(result.score, scores.max(1))
    assert np.array_equal(result.true_score, scores[np.arange(12), result.gt])
    assert found == dict(accuracy=100 * np.mean(result.pred == result.gt))


def test_every_cloud_counts_once(dataset, tmp_path):
    scores = np.full((12, 3), 1 / 3, np.float32)
    with pytest.raises(ValueError, match='1 missing'):
        predictions(dataset, tmp_path, scores, range(11))
    with pytest.raises(ValueError, match='scored twice'):
        predictions(dataset, tmp_path, scores, [0, *range(12)])
    assert not set_file(tmp_path, ('jitter', 0)).exists()
