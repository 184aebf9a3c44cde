"""Vision models of Hugging Face on views, against the model called directly."""

import copy

import pytest
import torch
from torch.nn import functional as F

from pcdet_kd.apis.export import Description, OnnxModel, TorchModel
from pcdet_kd.apis.export.comparison import largest_difference
from pcdet_kd.apis.export.onnx_file import to_onnx
from pcdet_kd.apis.export.program import Deployed, example, trace
from pcdet_kd.apis.export.torch_file import to_torch
from pcdet_kd.backbones import HFImageBackbone
from pcdet_kd.engine.train import train
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.testing.hugging_face import KINDS, save_tiny_hf_model
from pcdet_kd.utils.checkpoint import (
    CheckpointError,
    load_checkpoint_file,
    load_weights,
    save_checkpoint_file,
)

transformers = pytest.importorskip('transformers')


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp('models')
    return {kind: save_tiny_hf_model(root / kind, kind) for kind in KINDS}


def built(folder, **options):
    net = HFImageBackbone(folder, **options)
    net.init_weights()
    return net.eval()


def images(size=28, views=3):
    return torch.rand(2, views, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('aggregation', ['max', 'mean'])
@pytest.mark.parametrize(
    ('kind', 'feature'),
    [
        ('vit', 'pooled'),
        ('vit', 'cls'),
        ('dinov2', 'pooled'),
        ('clip', 'pooled'),
        ('clip', 'embedding'),
        ('convnext', 'pooled'),
    ],
)
def test_every_view_is_what_the_model_says_of_it(folders, kind, feature, aggregation):
    folder, views = folders[kind], images(32 if kind == 'convnext' else 28)
    net = built(folder, feature=feature, aggregation=aggregation)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        out, each = net(views), []
        for v in range(3):
            pixels = (views[:, v] - 0.4) / 0.2  # as its preprocessor_config.json says
            if kind == 'clip':
                seen = model.vision_model(pixels)
                embedding = F.normalize(model.visual_projection(seen.pooler_output), dim=-1)
                each.append(embedding if feature == 'embedding' else seen.pooler_output)
            else:
                seen = model(pixels)
                each.append(
                    seen.last_hidden_state[:, 0] if feature == 'cls' else seen.pooler_output
                )
        each = torch.stack(each)
    torch.testing.assert_close(out.point_feats, each.permute(1, 2, 0))
    pooled = each.max(0).values if aggregation == 'max' else each.mean(0)
    torch.testing.assert_close(out.global_feat, pooled)
    assert net.out_channels == pooled.shape[1] and out.coords is None
    assert each.std(0).max() > 1e-3  # views differ, so that the pool matters


def test_views_of_another_size_are_brought_to_the_models(folders):
    net, views = built(folders['dinov2']), images(50)
    scaled = F.interpolate(views.flatten(0, 1), (28, 28), mode='bilinear', antialias=True)
    torch.testing.assert_close(net(views).global_feat, net(scaled.unflatten(0, (2, 3))).global_feat)


@pytest.mark.parametrize('kind', ['vit', 'clip', 'dinov2'])
def test_another_size_interpolates_the_positions(folders, kind):
    net, views = built(folders[kind], image_size=42), images(42)
    model = transformers.AutoModel.from_pretrained(folders[kind]).eval()
    model = model.vision_model if kind == 'clip' else model
    options = {} if kind == 'dinov2' else dict(interpolate_pos_encoding=True)
    with torch.no_grad():
        expected = model((views[:, 0] - 0.4) / 0.2, **options).pooler_output
        torch.testing.assert_close(net(views).point_feats[..., 0], expected)


def test_one_channel_is_repeated_and_numbers_can_be_given(folders):
    net = built(folders['vit'], in_channels=1, image_mean=(0, 0, 0), image_std=(1, 1, 2))
    views = images()[:, :, :1]
    pixels = views[:, 0].repeat(1, 3, 1, 1) / torch.tensor([1, 1, 2]).view(3, 1, 1)
    model = transformers.AutoModel.from_pretrained(folders['vit']).eval()
    torch.testing.assert_close(net(views).point_feats[..., 0], model(pixels).pooler_output)


def test_weights_are_read_once_and_not_over_others(folders, tmp_path):
    net = HFImageBackbone(folders['dinov2'])
    before = copy.deepcopy(net.state_dict())
    net.init_weights()
    assert any(not torch.equal(v, before[k]) for k, v in net.state_dict().items())
    name = 'net.layernorm.weight'
    net.state_dict()[name].zero_()
    net.init_weights()  # a Runner that resumes may call it again after the checkpoint was read
    assert not net.state_dict()[name].any()
    save_checkpoint_file(net.state_dict(), tmp_path / 'backbone.pth')
    start = dict(type='PretrainedBackbone', checkpoint=str(tmp_path / 'backbone.pth'))
    twin = HFImageBackbone(folders['dinov2'], init_cfg=start)
    twin.init_weights()
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in twin.state_dict().items())


def test_only_what_the_feature_depends_on_trains(folders):
    trained = {
        kind: {
            n for n, p in HFImageBackbone(f, feature='cls').named_parameters() if p.requires_grad
        }
        for kind, f in folders.items()
        if kind != 'convnext'
    }
    assert 'net.embeddings.mask_token' not in trained['dinov2']
    assert 'net.pooler.dense.weight' not in trained['vit']
    assert 'net.post_layernorm.weight' not in trained['clip']
    assert all(any('attention.q_proj' in n or 'q_proj' in n for n in t) for t in trained.values())


def write_stage(configs, folder, *more):
    """Write stage I of PointCMT with a Hugging Face model, whose feature has 16 channels."""
    lines = [
        "_base_ = 'tiny_base.py'",
        'model = _base_.images',
        "model.data_preprocessor.views.update(mode='grey', image_size=28, num_views=2)",
        f"model.backbone = dict(type='HFImageBackbone', hf_model={folder!r})",
        *more,
    ]
    (configs / 'tiny_teacher.py').write_text('\n'.join(lines))


@pytest.mark.parametrize('frozen', [True, False])
def test_a_head_trains_on_a_frozen_model_or_both_do(folders, tiny_configs, frozen):
    hook = "custom_hooks = [dict(type='FreezeBackboneHook')]" if frozen else ''
    write_stage(tiny_configs, folders['dinov2'], hook)
    result = train(tiny_configs / 'tiny_teacher.py', {'max_epochs': 1})
    state = load_checkpoint_file(result.stages[-1].weights)['state_dict']
    own = built(folders['dinov2']).state_dict()
    same = [torch.equal(state[f'backbone.{name}'], value) for name, value in own.items()]
    assert all(same) if frozen else not all(same)
    assert torch.equal(state['backbone.image_mean'], own['image_mean'])
    assert state['head.fc.weight'].shape == (3, 16) and state['head.fc.bias'].any()


def test_pointcmt_and_jgekd_learn_from_its_bank(folders, tiny_configs):
    write_stage(tiny_configs, folders['dinov2'], "custom_hooks = [dict(type='FreezeBackboneHook')]")
    (tiny_configs / 'tiny_jgekd.py').write_text("""
_base_ = 'tiny_base.py'
requires = dict(teacher='tiny_teacher.py')
bank = dict(type='FeatureBank', teacher=_base_.teacher, data=_base_.bank_data)
model = dict(type='JGEKD', student=_base_.student, teachers=dict(main=bank),
             losses=dict(graph=dict(type='JointGraphEntropyLoss')))
""")
    for leaf in ('tiny_pointcmt.py', 'tiny_jgekd.py'):
        result = train(tiny_configs / leaf, {'max_epochs': 1})
        saved = load_checkpoint_file(result.stages[-1].weights)['state_dict']
        assert not any('net.' in name for name in saved), 'a teacher is an input, not state'
        teacher = result.stages[0]
        bank = next(teacher.work_dir.glob('feature_bank_*.pt'))
        rows = load_checkpoint_file(bank)
        cfg = teacher.resolved()
        model = MODELS.build(cfg.model).eval()
        load_weights(model, str(teacher.weights))
        data = DATASETS.build(cfg.test_dataloader.dataset)
        points = torch.stack([data[i]['inputs']['points'] for i in range(len(data))])
        out = model(model.data_preprocessor(dict(inputs=dict(points=points)))['inputs'])
        index = [rows['ids'].index(f'test/{i}') for i in range(len(data))]
        torch.testing.assert_close(rows['feat'][index], out.feat)
        torch.testing.assert_close(rows['logits'][index], out.logits)


@pytest.mark.parametrize('kind', ['dinov2', 'clip'])
@pytest.mark.filterwarnings('ignore:.*LeafSpec:FutureWarning')  # torch's own
def test_its_files_give_the_same(folders, kind):
    pytest.importorskip('onnxscript')
    backbone = dict(type='HFImageBackbone', hf_model=folders[kind])
    head = dict(type='MLPHead', num_classes=5, hidden_channels=())
    config = dict(type='PointClassifier', backbone=backbone, head=head, input_key='views')
    net = Deployed(MODELS.build(config))
    program = trace(net, example(net, 2, 1, image_size=28, num_views=2))
    said = Description('views', [2, 3, 28, 28], list('abcde'))
    batches = [example(net, size, 1, image_size=28, num_views=2) for size in (1, 3)]
    for model in (OnnxModel(to_onnx(program, said), ''), TorchModel(to_torch(program, said), '')):
        assert largest_difference(net, model, batches) <= 1e-4


@pytest.mark.parametrize('kind', ['dinov2', 'clip'])
def test_it_compiles_without_a_break(folders, kind):
    net, views = built(folders[kind]), images()
    compiled = torch.compile(net, fullgraph=True, backend='eager')
    with torch.no_grad():
        torch.testing.assert_close(compiled(views).global_feat, net(views).global_feat)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(in_channels=6), r'in_channels is 6, but .*looks at 3 channels: must be 1 or 3'),
        (dict(image_size=30), 'image_size is 30, but .*patches of 14 pixels: must be a multiple'),
        (dict(image_mean=(0,), image_std=(1,)), 'have 1 and 1 numbers, but .* 3 channels'),
        (dict(aggregation='sum'), "aggregation is 'sum'"),
        (dict(feature='mean'), "feature is 'mean'"),
    ],
)
def test_what_does_not_fit_is_said_when_it_is_built(folders, options, message):
    with pytest.raises(ValueError, match=message):
        HFImageBackbone(folders['dinov2'], **options)


def test_features_that_a_model_has_not(folders, tmp_path):
    with pytest.raises(ValueError, match="has no class token: use feature='pooled'"):
        HFImageBackbone(folders['convnext'], feature='cls')
    with pytest.raises(CheckpointError, match="type 'vit', expected 'clip'"):
        HFImageBackbone(folders['vit'], feature='embedding')
    with pytest.raises(ValueError, match='image_size 4 does not fit .*ConvNextModel'):
        HFImageBackbone(folders['convnext'], image_size=4)


def test_an_absent_pooling_layer_is_not_replaced_by_random_numbers(folders, tmp_path):
    model = transformers.ViTForImageClassification(
        transformers.AutoConfig.from_pretrained(folders['vit'])
    )
    model.save_pretrained(tmp_path)
    given = dict(image_size=28, image_mean=(0.5,) * 3, image_std=(0.5,) * 3)
    with pytest.raises(CheckpointError, match=r"lacks 2 .*pooler.*use feature='cls'"):
        HFImageBackbone(str(tmp_path), **given).init_weights()
    net = built(str(tmp_path), feature='cls', **given)
    expected = model.eval().vit((images()[:, 0] - 0.5) / 0.5).last_hidden_state[:, 0]
    torch.testing.assert_close(net(images()).point_feats[..., 0], expected)


@pytest.mark.parametrize(
    ('views', 'message'),
    [
        (torch.rand(2, 3, 28, 28), r'takes views \(B, V, 3, H, W\) with V > 0, got \(2, 3, 28, 28'),
        (torch.rand(2, 2, 1, 28, 28), r'got \(2, 2, 1, 28, 28\)'),
        (torch.rand(2, 2, 3, 28, 28) * 2.4, r"views in \[0, 1\], got .*mode='grey'"),
        (torch.rand(2, 2, 3, 28, 28) - 0.5, r'views in \[0, 1\], got \[-0\.5'),
    ],
)
def test_views_that_it_cannot_take(folders, views, message):
    with pytest.raises(ValueError, match=message):
        built(folders['dinov2'])(views)
