import pytest
import torch

from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES


def test_built_from_a_config():
    logits, target = torch.randn(4, 7), torch.randint(7, (4,))
    loss = LOSSES.build(
        dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others', loss_weight=2.5)
    )
    expected = 2.5 * functional.cross_entropy(logits, target, 0.2, 'others')
    assert torch.equal(loss(student_logits=logits, target=target), expected)
    plain = LOSSES.build(dict(type='CrossEntropyLoss'))
    assert torch.equal(plain(logits, target), torch.nn.functional.cross_entropy(logits, target))


@pytest.mark.parametrize(
    'args, message',
    [
        (dict(label_smoothing=1.0), 'label_smoothing is 1.0'),
        (dict(label_smoothing=-0.1), 'label_smoothing is -0.1'),
        (dict(smoothing='torch'), "smoothing is 'torch'"),
    ],
)
def test_bad_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        LOSSES.build(dict(type='CrossEntropyLoss', **args))
