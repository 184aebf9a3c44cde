import socket
from pathlib import Path

import pytest
import torch
import torch.multiprocessing as mp
from mmengine.dataset import DefaultSampler

from pcdet_kd.evaluation import GenerationDistance, SampleMetric


class Total(SampleMetric):
    """Sum and order of the records."""

    def record(self, sample):
        return float(self.field(sample, 'value'))

    def compute_metrics(self, results):
        return dict(total=sum(results), ordered=float(results == sorted(results)))


def samples(*indices):
    return [dict(sample_idx=i, value=float(i)) for i in indices]


def test_records_come_in_the_order_of_the_data_set():
    metric = Total()
    metric.process(None, samples(2, 0))
    metric.process(None, samples(1))
    assert metric.evaluate(3) == dict(total=3.0, ordered=1.0)
    metric.process(None, samples(0))
    assert metric.evaluate(1)['total'] == 0.0  # the first evaluation left nothing behind


def test_prefix():
    metric = Total(prefix='clean')
    metric.process(None, samples(0))
    assert set(metric.evaluate(1)) == {'clean/total', 'clean/ordered'}


@pytest.mark.parametrize(
    'indices, size, message',
    [
        ((0, 2), 3, r'2 samples were scored, the data set has 3: 1 missing \(first: 1\)'),
        ((0, 1, 2), 2, r'1 not in the data set \(first: 2\)'),
        ((0, 1, 1), 2, 'sample 1 was scored twice'),
        ((), 2, '2 missing'),
    ],
)
def test_not_one_record_per_sample_is_an_error(indices, size, message):
    metric = Total()
    metric.process(None, samples(*indices))
    with pytest.raises(ValueError, match=message):
        metric.evaluate(size)
    assert not metric.results


def test_missing_fields_are_named():
    with pytest.raises(KeyError, match="sample 0 has no 'value', only"):
        Total().process(None, [dict(sample_idx=0, other=1)])
    with pytest.raises(KeyError, match="no 'sample_idx'"):
        Total().process(None, [dict(value=1)])


def _score(rank, port, size, world, folder):
    torch.distributed.init_process_group(
        'gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=world
    )
    metric = Total()
    for idx in DefaultSampler(range(size), shuffle=False, round_up=True):
        metric.process(None, samples(idx))
    assert len(metric.results) == -(-size // world)  # with the sampler's padding
    result = metric.evaluate(size)
    (Path(folder) / str(rank)).write_text(repr((result['total'], result['ordered'])))
    torch.distributed.destroy_process_group()


def test_padding_of_a_distributed_sampler_is_counted_once(forkserver, tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    mp.start_processes(_score, (port, 7, 2, str(tmp_path)), nprocs=2, start_method='forkserver')
    assert [(tmp_path / str(rank)).read_text() for rank in range(2)] == ['(21.0, 1.0)'] * 2
    assert {file.name for file in tmp_path.iterdir()} == {'0', '1'}


def test_generation_distance_is_a_sample_metric():
    assert issubclass(GenerationDistance, SampleMetric)
