import math
import sys
from pathlib import Path

import pytest
import torch

from pcdet_kd.apis.official import convert_official
from pcdet_kd.apis.official_archs import OFFICIAL
from pcdet_kd.distillers.asymdsd import AsymDSD
from pcdet_kd.layers import patch_masks
from pcdet_kd.ops import farthest_point_sample, knn
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import Crops

sys.path.insert(0, str(Path(__file__).parents[2] / 'benchmarks'))
from peer_models.asymdsd_pretrain import PlainAsymDSD

MODES = ('dual', 'cls', 'mpm')
ARCH = {'dual': 'asymdsd_pretrain', 'cls': 'asymdsd_pretrain_cls', 'mpm': 'asymdsd_pretrain_mpm'}
PROTOTYPES = 40


def tiny_config(mode='dual', **changes):
    """AsymDSD's parts with few channels."""
    loss = dict(type='SelfDistillationLoss', num_prototypes=PROTOTYPES)
    losses = dict(cls=loss, koleo=dict(type='KoLeoLoss')) if mode != 'mpm' else {}
    if mode != 'cls':
        losses['patch'] = dict(loss, teacher_temperature=0.05)
    if mode == 'mpm':
        losses['regression'] = dict(type='FeatureSmoothL1Loss')
    backbone = dict(
        type='PointViT',
        preset='asymdsd_s',
        embed_dims=16,
        depth=2,
        num_heads=2,
        drop_path=0.0,
        num_patches=20,
        patch_size=6,
        class_token=mode != 'mpm',
        pool=('mean', 'max'),
    )
    student = dict(
        type='MaskedPointEncoder',
        backbone=backbone,
        projection=dict(num_prototypes=PROTOTYPES, hidden_channels=(24, 24), bottleneck=8),
        predictor=None if mode == 'cls' else dict(embed_dims=8, depth=2, num_heads=2),
    )
    return dict(
        dict(type='AsymDSD', student=student, losses=losses, num_masks=3, local_patches=6),
        **changes,
    )


def crops_of(clouds, count, num_points, patches, size=6):
    points = torch.randn(clouds, count, num_points, 3, dtype=torch.float64) * 3 + 1
    flat = points.flatten(0, 1)
    chosen = farthest_point_sample(flat, patches)
    index = knn(flat.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 3)), flat, size)
    return Crops(points, chosen.unflatten(0, (clouds, count)), index.unflatten(0, (clouds, count)))


def pair(mode):
    """The plain form under the published names, and ours with its weights, both in float64."""
    torch.manual_seed(0)
    plain = PlainAsymDSD(
        mode,
        dict(channels=16, depth=2, num_heads=2, num_patches=20, patch_size=6),
        (24, 8, PROTOTYPES),
        (8, 2, 2),
    )
    for key, value in plain.state_dict().items():  # teacher and centres are not the student's
        value.add_(torch.randn_like(value) * (0.5 if 'center' in key else 0.05))
    plain = plain.double()
    ours = MODELS.build(tiny_config(mode))
    official = OFFICIAL[ARCH[mode]]._replace(model=tiny_config(mode))
    ours.double().load_state_dict(convert_official(plain.state_dict(), official).weights)
    return plain, ours.train()


@pytest.mark.parametrize('mode', MODES)
def test_a_step_is_that_of_the_published_form(mode):
    """Terms, centres, gradients, and the teacher after its step."""
    plain, ours = pair(mode)
    views = 1 if mode == 'mpm' else 2
    crops, local = crops_of(3, views, 50, 20), None if mode == 'mpm' else crops_of(3, 4, 20, 6)
    mask = None if mode == 'cls' else patch_masks(torch.randn(3 * views, 20, 3), masks=3)
    expected = plain.step(crops[:3], local and local[:3], mask)
    step = ours.step(crops, local, mask)
    for name, value in step.terms.items():
        torch.testing.assert_close(value, expected.pop(name), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(step.total, expected['total'], rtol=1e-9, atol=1e-9)
    assert set(expected) == {'total'}
    expected['total'].backward()
    step.total.backward()
    for teacher, student in zip(plain.teacher.parameters(), followed(plain)):
        teacher.data = 0.9 * teacher.data + 0.1 * student.data
    ours.teachers['ema'].momentum = 0.9
    ours.teachers['ema'].update(ours.student.followed())
    official = OFFICIAL[ARCH[mode]]._replace(model=tiny_config(mode))
    renamed = dict(convert_official(plain.state_dict(), official).renamed)
    named = dict(ours.named_parameters())
    for key, weight in plain.named_parameters():
        if key in renamed and weight.requires_grad:
            torch.testing.assert_close(named[renamed[key]].grad, weight.grad, rtol=1e-7, atol=1e-9)
    state = ours.state_dict()
    for key, value in plain.state_dict().items():
        if key in renamed:
            torch.testing.assert_close(state[renamed[key]], value, rtol=1e-9, atol=1e-9)
    for name, centre in step.centres.items():
        torch.testing.assert_close(centre, plain.teacher[f'{name}_centering'].center)


def followed(plain):
    return [
        dict(plain.student.named_parameters())[name] for name, _ in plain.teacher.named_parameters()
    ]


def batch(clouds=4, views=2):
    torch.manual_seed(1)
    return dict(
        global_crops=torch.randn(clouds, views, 64, 3),
        local_crops=torch.randn(clouds, 4, 24, 3),
    )


@pytest.mark.parametrize('mode', MODES)
def test_it_trains_its_parts(mode):
    torch.manual_seed(0)
    model = MODELS.build(tiny_config(mode)).train()
    losses = model(batch(views=1 if mode == 'mpm' else 2), [None] * 4, mode='loss')
    assert {k for k in losses if k.startswith('loss_')} == {f'loss_{k}' for k in model.losses}
    sum(v for k, v in losses.items() if k.startswith('loss_')).backward()
    missing = [k for k, p in model.student.named_parameters() if p.grad is None]
    assert not missing
    assert all(p.grad is None for p in model.teachers.parameters())
    for name in ('cls', 'patch'):
        if name in model.losses:
            entropy, spread = losses[f'stat_{name}_entropy'], losses[f'stat_{name}_spread']
            assert 0 < entropy <= spread + 1e-5 <= math.log(PROTOTYPES) + 2e-5


@pytest.mark.parametrize('mode', MODES)
def test_mixed_precision_changes_little(mode):
    """Losses and their statistics are in float32, so that they differ by bfloat16's rounding of
    the features only.
    """
    found = []
    for enabled in (False, True):
        torch.manual_seed(0)
        model = MODELS.build(tiny_config(mode)).train()
        inputs = batch(views=1 if mode == 'mpm' else 2)
        torch.manual_seed(2)
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            losses = model(inputs, [None] * 4, mode='loss')
        sum(v for k, v in losses.items() if k.startswith('loss_')).backward()
        assert all(v.dtype == torch.float32 for v in losses.values())
        found.append({k: float(v.detach()) for k, v in losses.items()})
    assert found[1] == pytest.approx(found[0], rel=0.05, abs=0.02) and found[0] != found[1]


def test_shapes_of_a_step():
    """Specified for two global and four local crops and four masks."""
    torch.manual_seed(0)
    config = tiny_config('dual', num_masks=4)
    model = MODELS.build(config).train()
    views, _ = model.run_student(batch(), [None] * 4)
    teacher = model._teach(views, 2)
    hidden = round(0.7 * 20)
    assert views.mask.shape == (32, 20) and views.predicted.shape == (32, hidden, 16)
    shapes = {kind: tuple(value.shape) for kind, value in views.embeddings.items()}
    assert shapes == dict(unmasked=(4, 1, 16), masked=(4, 8, 16), local=(4, 4, 16))
    assert teacher.cls_logits.shape == (4, 2, PROTOTYPES)
    assert teacher.patch_logits.shape == (8, 20, PROTOTYPES)


def test_a_hidden_patch_tells_nothing():
    """Neither the points of a hidden patch nor other queries change what is predicted elsewhere."""
    torch.manual_seed(0)
    model = MODELS.build(tiny_config('dual', num_masks=1)).eval()
    patches, centres = torch.randn(2, 20, 6, 3), torch.randn(2, 20, 3)
    mask = patch_masks(centres)
    out = model._views(patches, centres, 1, None, mask)
    changed = patches.clone()
    changed[mask] += torch.randn_like(changed[mask])
    again = model._views(changed, centres, 1, None, mask)
    assert torch.equal(out.predicted, again.predicted)
    assert torch.equal(out.embeddings['masked'], again.embeddings['masked'])
    moved = centres.clone()
    column = mask[0].nonzero().flatten()
    moved[0, column[1:]] += 1.0  # the positions of all other queries of the first cloud
    other = model._views(patches, moved, 1, None, mask)
    torch.testing.assert_close(out.predicted[0, 0], other.predicted[0, 0], rtol=0, atol=0)
    assert not torch.equal(out.predicted[0, 1], other.predicted[0, 1])


def test_without_a_centre_it_collapses():
    """Sharpening without centring lets one prototype win; with centring the spread stays."""
    spreads = {}
    for momentum in (0.9, 1.0):  # 1: the centre stays 0
        torch.manual_seed(0)
        config = tiny_config('cls')
        config['losses'] = dict(cls=dict(config['losses']['cls'], momentum=momentum))
        model = MODELS.build(config).train()
        model.teachers['ema'].momentum = 0.5
        optimizer = torch.optim.AdamW(model.student.parameters(), 3e-3)
        for _ in range(40):
            losses = model(batch(4), [None] * 4, mode='loss')
            optimizer.zero_grad()
            losses['loss_cls'].backward()
            optimizer.step()
            model.teachers['ema'].update(model.student.followed())
        spreads[momentum] = float(losses['stat_cls_spread'])
    assert spreads[1.0] < 0.2 < 1.0 < spreads[0.9], spreads


def test_the_teacher_starts_as_the_student():
    model = MODELS.build(tiny_config())
    with torch.no_grad():
        model.student.backbone.cls_token += 1  # as weights that are read after building
    model.init_weights()
    assert torch.equal(
        model.teachers['ema'].model.backbone.cls_token, model.student.backbone.cls_token
    )
    assert model.evaluated_backbone is model.teachers['ema'].model.backbone
    features = model(dict(points=torch.randn(2, 64, 3)), None, mode='tensor')
    assert features.feat.shape == (2, 32) and features.logits is None


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(losses=dict(cls=dict(type='KoLeoLoss'))), r"needs \['cls', 'patch'\]"),
        (dict(student=dict(tiny_config('cls')['student'])), r"may have \['cls', 'koleo'\]"),
        (
            dict(
                losses={
                    k: dict(type='SelfDistillationLoss', num_prototypes=4, loss_weight=0)
                    for k in ('cls', 'patch')
                }
            ),
            'every loss_weight is 0',
        ),
    ],
)
def test_losses_that_do_not_fit_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(tiny_config('dual', **change))


def test_a_batch_without_crops_is_named():
    model: AsymDSD = MODELS.build(tiny_config())
    with pytest.raises(ValueError, match=r"'global_crops'.*MultiCrop"):
        model(dict(points=torch.randn(2, 64, 3)), [None] * 2, mode='loss')
