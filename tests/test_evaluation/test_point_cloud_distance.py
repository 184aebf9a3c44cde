import pytest
import torch

from pcdet_kd.evaluation import GenerationDistance
from pcdet_kd.registry import METRICS
from pcdet_kd.structures import PointDataSample


def sample(idx, **fields):
    element = PointDataSample(metainfo=dict(sample_idx=idx, sample_id=f'cloud{idx}'))
    for name, value in fields.items():
        element.set_field(torch.tensor([value]), name, dtype=torch.Tensor)
    return element.to_dict()


def test_mean_over_samples():
    metric = METRICS.build(dict(type='GenerationDistance'))
    metric.process(None, [sample(0, emd=0.25), sample(1, emd=0.5)])
    metric.process(None, [sample(2, emd=0.75)])
    assert metric.evaluate(3) == {'emd': pytest.approx(0.5)}


def test_other_field():
    metric = GenerationDistance(field='chamfer')
    metric.process(None, [sample(0, emd=0.25, chamfer=2.0)])
    assert metric.evaluate(1) == {'chamfer': 2.0}


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -1.0])
def test_impossible_distance_names_the_sample(value):
    with pytest.raises(ValueError, match=r"'emd' of sample 4 \('cloud4'\) is"):
        GenerationDistance().process(None, [sample(4, emd=value)])
