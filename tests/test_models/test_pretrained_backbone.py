import pytest
import torch
from mmengine.model import BaseModule

from pcdet_kd.models.pretrained_backbone import PretrainedBackbone, waits_for_stage
from pcdet_kd.registry import BACKBONES, MODELS
from pcdet_kd.utils.checkpoint import CheckpointError, save_checkpoint_file
from pcdet_kd.utils.errors import UserError

VIT = dict(
    type='PointViT', preset='asymdsd_s', embed_dims=24, depth=1, num_heads=2, num_patches=4,
    patch_size=4, tokenizer=dict(first=(8,), second=(8,)),
)  # fmt: skip


def vit(**arguments):
    return dict(VIT, **arguments)


def classifier(num_classes=3, **arguments):
    head = dict(type='MLPHead', num_classes=num_classes)
    return dict(type='PointClassifier', backbone=vit(**arguments), head=head)


@pytest.fixture
def trained():
    torch.manual_seed(1)
    return BACKBONES.build(vit()).state_dict()


def file_of(folder, weights, prefix='', **others):
    path = folder / 'trained.pth'
    weights = {f'{prefix}{key}': value for key, value in weights.items()}
    save_checkpoint_file(dict(state_dict={**weights, **others}), path)
    return str(path)


def start(path, num_classes=5, **arguments):
    torch.manual_seed(2)
    init_cfg = dict(type='PretrainedBackbone', checkpoint=path)
    model = MODELS.build(classifier(num_classes, init_cfg=init_cfg, **arguments))
    model.init_weights()
    return model


@pytest.mark.parametrize(
    ('prefix', 'words'),
    [
        ('teachers.ema.model.backbone.', 'the EMA teacher'),
        ('student.backbone.', "distiller's student"),
        ('backbone.', 'the classifier'),
        ('', 'a backbone alone'),
    ],
)
def test_every_kind_of_checkpoint_is_read(trained, tmp_path, prefix, words, monkeypatch):
    said = []
    monkeypatch.setattr(
        'pcdet_kd.models.pretrained_backbone.print_log', lambda text, **_: said.append(text)
    )
    others = {'head.fc.weight': torch.zeros(40, 7)} if prefix else {}
    if 'ema' in prefix:
        others['student.backbone.cls_token'] = torch.zeros(1, 1, 24)
    path = file_of(tmp_path, trained, prefix, **others)
    model = start(path)
    assert all(torch.equal(v, trained[k]) for k, v in model.backbone.state_dict().items())
    torch.manual_seed(2)
    fresh = MODELS.build(classifier(5)).head.state_dict()
    assert all(torch.equal(v, fresh[k]) for k, v in model.head.state_dict().items())
    assert len(said) == 1 and words in said[0] and f'all {len(trained)} keys' in said[0]
    model.backbone.is_init = False
    model.head.fc.weight.data.zero_()
    model.backbone.init_weights()  # without a model around it, and without a Runner


def test_parts_that_initialise_themselves_do_not_undo_it(trained, tmp_path):
    class Spoiling(BaseModule):
        calls = 0

        def init_weights(self):
            Spoiling.calls += 1

    for path, calls in ((None, 1), (file_of(tmp_path, trained), 1)):
        init_cfg = path and dict(type='PretrainedBackbone', checkpoint=path)
        model = MODELS.build(classifier(init_cfg=init_cfg))
        model.backbone.child = Spoiling()
        model.init_weights()
        assert Spoiling.calls == calls


def test_a_backbone_that_does_not_fit_is_one_error(trained, tmp_path):
    path = file_of(tmp_path, trained, 'backbone.')
    with pytest.raises(CheckpointError, match=r'(?s)of another shape.*cls_token: file \(1, 1, 24'):
        start(path, embed_dims=12)
    with pytest.raises(CheckpointError, match=r'(?s)unknown.*cls_token.*Set class_token=True'):
        start(path, class_token=False, pool=('mean', 'max'))
    del trained['cls_token']
    with pytest.raises(CheckpointError, match=r"(?s)missing.*Set class_token=False and pool=\('me"):
        start(file_of(tmp_path, trained, 'backbone.'))


def test_no_file_is_an_error_that_says_what_to_do(trained, tmp_path):
    with pytest.raises(UserError, match='--load-backbone FILE'):
        start(None)
    with pytest.raises(UserError, match=r"'stage:pretrain' stands for a stage"):
        start('stage:pretrain')
    with pytest.raises(UserError, match=r'nothing\.pth is not a file'):
        start(str(tmp_path / 'nothing.pth'))


def test_what_waits_for_a_stage():
    waiting = dict(type='PretrainedBackbone', checkpoint='stage:a')
    assert waits_for_stage(waiting) and waits_for_stage([dict(type='Normal'), waiting])
    assert waits_for_stage(dict(waiting, type=PretrainedBackbone))
    assert not waits_for_stage(dict(waiting, checkpoint='a.pth'))
    assert not waits_for_stage(None) and not waits_for_stage(dict(waiting, type='Pretrained'))


def test_a_network_with_weights_of_its_own_keeps_the_file_s(tmp_path, monkeypatch):
    net = dict(type='MultiViewResNet', base_width=2, small_input=True)
    torch.manual_seed(3)
    path = file_of(tmp_path, BACKBONES.build(net).state_dict())
    monkeypatch.setattr('pcdet_kd.backbones.multi_view_resnet.load_torchvision_weights', None)
    init_cfg = dict(type='PretrainedBackbone', checkpoint=path)
    model = BACKBONES.build(dict(net, pretrained='other.pth', init_cfg=init_cfg))
    model.init_weights()
    assert torch.equal(
        model.trunk.conv1.weight, torch.load(path)['state_dict']['trunk.conv1.weight']
    )
