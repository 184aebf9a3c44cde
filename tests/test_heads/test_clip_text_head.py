"""Zero-shot classification, against CLIP itself."""

import pytest
import torch

from pcdet_kd.heads import CLIPTextHead
from pcdet_kd.registry import MODELS
from pcdet_kd.testing.hugging_face import save_tiny_hf_model
from pcdet_kd.utils.checkpoint import CheckpointError, save_checkpoint_file

transformers = pytest.importorskip('transformers')
NAMES = ('chair', 'night_stand', 'table')


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp('clip')
    return save_tiny_hf_model(folder, 'clip', words=('chair', 'night', 'stand', 'table'))


def clips_own(folder, images, texts):
    """CLIP's logits (images, texts)."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(
        texts, padding=True, return_tensors='pt'
    )
    with torch.no_grad():
        return model(
            pixel_values=(images - 0.4) / 0.2,
            input_ids=tokens['input_ids'],
            attention_mask=tokens['attention_mask'],
        )


def classifier(folder, **head):
    head = dict(type='CLIPTextHead', hf_model=folder, classes=NAMES, num_classes=3, **head)
    model = MODELS.build(
        dict(
            type='PointClassifier',
            input_key='views',
            backbone=dict(
                type='HFImageBackbone', hf_model=folder, feature='embedding', aggregation='mean'
            ),
            head=head,
        )
    )
    model.init_weights()
    return model.eval()


def test_logits_are_the_mean_of_clips_over_the_views(clip):
    views = torch.rand(2, 3, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    texts = ['a photo of a chair.', 'a photo of a night stand.', 'a photo of a table.']
    expected = torch.stack([clips_own(clip, views[:, v], texts).logits_per_image for v in range(3)])
    with torch.no_grad():
        logits = classifier(clip)(dict(views=views)).logits
    torch.testing.assert_close(logits, expected.mean(0), rtol=1e-4, atol=1e-4)
    assert logits.std() > 1e-2


def test_several_templates_are_averaged_on_the_sphere(clip):
    templates = ('a photo of a {}.', 'a depth map of a {}.')
    each = [
        clips_own(
            clip, torch.zeros(1, 3, 28, 28), [t.format(n.replace('_', ' ')) for n in NAMES]
        ).text_embeds.double()
        for t in templates
    ]
    mean = sum(e / e.norm(dim=1, keepdim=True) for e in each) / 2
    scale = transformers.AutoModel.from_pretrained(clip).logit_scale.double().exp().detach()
    expected = scale * mean / mean.norm(dim=1, keepdim=True)
    head = CLIPTextHead(3, 10, clip, NAMES, templates)
    head.init_weights()
    torch.testing.assert_close(head.fc.weight.double(), expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(each[0], each[1])


def test_it_does_not_start_over_what_was_trained(clip, tmp_path):
    head = CLIPTextHead(3, 10, clip, NAMES)
    head.init_weights()
    head.fc.weight.data.zero_()
    head.init_weights()
    assert not head.fc.weight.any()
    save_checkpoint_file(head.state_dict(), tmp_path / 'head.pth')
    start = dict(type='Pretrained', checkpoint=str(tmp_path / 'head.pth'))
    twin = CLIPTextHead(3, 10, clip, NAMES, init_cfg=start)
    twin.init_weights()
    assert not twin.fc.weight.any()


def test_what_does_not_fit(clip, tmp_path):
    with pytest.raises(ValueError, match='3 names in classes, expected 4'):
        CLIPTextHead(4, 10, clip, NAMES)
    for templates in ((), ('a photo',)):
        with pytest.raises(ValueError, match=r'each must hold \{\}'):
            CLIPTextHead(3, 10, clip, NAMES, templates)
    with pytest.raises(ValueError, match='texts have 10 channels in .*, the images 16'):
        CLIPTextHead(3, 16, clip, NAMES).init_weights()
    vit = save_tiny_hf_model(tmp_path / 'vit', 'vit')
    with pytest.raises(CheckpointError, match="type 'vit', expected 'clip'"):
        CLIPTextHead(3, 10, vit, NAMES).init_weights()
