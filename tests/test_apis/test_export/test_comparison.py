import math
import time

import pytest
import torch

from pcdet_kd.apis.export.comparison import largest_difference, latencies

BATCHES = [torch.zeros(1, 4), torch.arange(12.0).view(3, 4)]


def returning(change):
    return lambda inputs: (inputs + change(inputs), inputs)


def test_the_largest_difference_of_the_logits():
    plain = returning(lambda x: 0)
    assert largest_difference(plain, plain, BATCHES) == 0
    assert largest_difference(plain, returning(lambda x: -x / 4), BATCHES) == pytest.approx(11 / 4)
    assert largest_difference(returning(lambda x: x.sum()), plain, BATCHES[:1]) == 0
    assert largest_difference(plain, returning(lambda x: math.nan), BATCHES) == math.inf
    assert largest_difference(plain, lambda x: (x[:, :2], x), BATCHES) == math.inf


def test_times_are_medians_in_milliseconds():
    calls = []

    def slow(inputs):
        calls.append(len(inputs))
        time.sleep(0.3 if len(calls) == 1 else 0.01)  # the first call is not counted
        return inputs, inputs

    (one, three) = latencies(slow, lambda inputs: (inputs, inputs), BATCHES, seconds=0.01)
    assert (one.batch_size, three.batch_size) == (1, 3)
    assert 3 <= calls.count(1) <= 4 and 3 <= calls.count(3) <= 4
    assert 10 <= one.eager < 250 and one.exported < 10
