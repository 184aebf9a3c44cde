import pytest
import torch

from pcdet_kd.models import PointClassifier
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import ModelOutput


def test_the_modes_agree(tiny_student, batch):
    model = MODELS.build(tiny_student).eval()
    out = model(batch['inputs'], batch['data_samples'], mode='tensor')
    assert isinstance(out, ModelOutput)
    assert out.logits.shape == (6, 3) and out.feat.shape == (6, 16)
    torch.testing.assert_close(out.logits, model.head.classify(out.feat), rtol=0, atol=0)
    predicted = model(batch['inputs'], batch['data_samples'], mode='predict')
    torch.testing.assert_close(
        torch.stack([s.pred_score for s in predicted]), out.logits.softmax(1)
    )
    target = torch.cat([s.gt_label for s in batch['data_samples']])
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    torch.testing.assert_close(
        losses['loss_cls'], torch.nn.functional.cross_entropy(out.logits, target)
    )


def test_the_backbones_own_losses_are_added(batch):
    model = PointClassifier(
        dict(type='PointNet', variant='paper'), dict(type='MLPHead', num_classes=3)
    )
    losses = model(batch['inputs'], batch['data_samples'], mode='loss')
    assert len(losses) == 2 and all(name.startswith('loss_') for name in losses)


def test_the_head_takes_its_width_from_the_backbone(tiny_student):
    tiny_student['backbone']['global_channels'] = (24,)
    assert MODELS.build(tiny_student).head.hidden[0].linear.in_features == 24


def test_the_preprocessor_takes_the_number_of_classes_from_the_head(tiny_student, batch):
    config = {
        **tiny_student,
        'data_preprocessor': dict(
            type='PointDataPreprocessor', batch_augments=dict(type='PointMixup')
        ),
    }
    model = MODELS.build(config).eval()
    assert (
        model.data_preprocessor.num_classes == 3
        and 'num_classes' not in config['data_preprocessor']
    )
    mixed = model.data_preprocessor(batch, True)
    logits = model(mixed['inputs']).logits
    score = torch.stack([sample.gt_score for sample in mixed['data_samples']])
    expected = -(score * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(model(**mixed, mode='loss')['loss_cls'], expected)
    assert all(
        'gt_score' in sample and sample.pred_score.shape == (3,)
        for sample in model(**mixed, mode='predict')
    )


def test_a_missing_input_is_named(tiny_student, batch):
    model = MODELS.build({**tiny_student, 'input_key': 'views'})
    with pytest.raises(KeyError, match=r"inputs\['views'\].*points"):
        model(batch['inputs'])


def test_an_unknown_mode_is_an_error(tiny_student, batch):
    with pytest.raises(ValueError, match="mode is 'los'"):
        MODELS.build(tiny_student)(batch['inputs'], batch['data_samples'], mode='los')
