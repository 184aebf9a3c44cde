"""Models of Hugging Face in a folder: what is read, and what is said where it can't be."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pcdet_kd.testing.hugging_face import save_tiny_hf_model
from pcdet_kd.utils import hugging_face
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.errors import MissingPackageError
from pcdet_kd.utils.hugging_face import (
    build_vision_model,
    import_transformers,
    load_clip,
    load_vision_weights,
    read_image_settings,
    read_model_config,
)

MISSING = r"neither a folder nor .*'hf download NAME --local-dir DIR'"


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip('transformers')
    return Path(save_tiny_hf_model(tmp_path / 'model', 'vit'))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    asked = []

    def connect(*args):
        asked.append(args[1:])
        raise OSError('no network')

    monkeypatch.setattr(socket.socket, 'connect', connect)
    monkeypatch.setattr(socket, 'getaddrinfo', connect)
    yield
    assert not asked, 'the network was asked'


@pytest.fixture
def cached(folder, monkeypatch):
    """The model in Hugging Face's cache, under the name ``nobody/tiny``."""
    from huggingface_hub import constants

    home = folder.parent / 'hub'
    entry = home / 'models--nobody--tiny'
    (entry / 'refs').mkdir(parents=True)
    (entry / 'refs/main').write_text('abc')
    (entry / 'snapshots').mkdir()
    folder.rename(entry / 'snapshots/abc')
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(home))
    return entry / 'snapshots/abc'


def test_everything_else_works_without_the_package():
    """MMEngine looks for it too, so that its absence is what can be told."""
    code = (
        "import sys; sys.modules['transformers'] = None; "
        'import pcdet_kd.backbones, pcdet_kd.heads, pcdet_kd.teachers, pcdet_kd.testing'
    )
    subprocess.run([sys.executable, '-c', code], check=True)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'transformers', None)
    with pytest.raises(MissingPackageError, match="pip install 'transformers>=5' safetensors"):
        import_transformers()


def test_weights_come_from_the_folder_in_float32(folder):
    config = read_model_config(str(folder))
    net = build_vision_model(config, 'x')
    half = build_vision_model(config, 'x').half()
    half.save_pretrained(folder)
    load_vision_weights(net, str(folder), [])
    for name, value in net.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, half.state_dict()[name].float(), rtol=0, atol=0)


def test_a_folder_below_ones_home(folder, monkeypatch):
    monkeypatch.setenv('HOME', str(folder.parent))
    net = build_vision_model(read_model_config('~/model'), 'x')
    load_vision_weights(net, '~/model', [])
    assert read_image_settings('~/model').size == 28


def test_a_name_in_the_cache(cached):
    config = read_model_config('nobody/tiny')
    net = build_vision_model(config, 'nobody/tiny')
    before = net.layernorm.weight.clone()
    load_vision_weights(net, 'nobody/tiny', ['layernorm.weight'])
    assert not torch.equal(net.layernorm.weight, before)
    assert read_image_settings('nobody/tiny').size == 28
    torch.save(net.state_dict(), cached / 'pytorch_model.bin')
    (cached / 'model.safetensors').unlink()  # a pickle is not read from there either
    with pytest.raises(CheckpointError, match='Pickled weights are not read'):
        load_vision_weights(net, 'nobody/tiny', [])


def test_clip_in_half_precision_is_read_as_float32(tmp_path):
    transformers = pytest.importorskip('transformers')
    folder = save_tiny_hf_model(tmp_path, 'clip')
    with hugging_face.quiet():
        transformers.CLIPModel.from_pretrained(folder).half().save_pretrained(folder)
    clip, _ = load_clip(folder)
    assert {value.dtype for value in clip.parameters()} == {torch.float32} and not clip.training


def test_the_width_of_the_common_space_is_the_models(tmp_path):
    pytest.importorskip('transformers')
    config = read_model_config(save_tiny_hf_model(tmp_path, 'clip'))
    width = config.vision_config.projection_dim
    assert build_vision_model(config, 'x', projected=True).visual_projection.out_features == 10
    assert config.vision_config.projection_dim == width != 10


@pytest.mark.parametrize(
    ('found', 'expected'),
    [
        (dict(size=224, image_mean=[0.1] * 3, image_std=[0.2] * 3), (224, 0.1, 0.2)),
        (
            dict(size=dict(height=32, width=32), image_mean=[0.5] * 3, image_std=[1] * 3),
            (32, 0.5, 1),
        ),
        (
            dict(
                size=dict(shortest_edge=256),
                do_center_crop=True,
                crop_size=dict(height=224, width=224),
                image_mean=[0.5] * 3,
                image_std=[0.5] * 3,
            ),
            (224, 0.5, 0.5),
        ),
        (
            dict(
                size=dict(shortest_edge=256),
                do_center_crop=False,
                crop_size=224,
                do_normalize=False,
                image_mean=[0.5] * 3,
                image_std=[0.5] * 3,
            ),
            (256, 0, 1),
        ),
    ],
)
def test_image_settings(folder, found, expected):
    (folder / 'preprocessor_config.json').write_text(json.dumps(found))
    size, mean, std = expected
    assert read_image_settings(str(folder)) == (size, (mean,) * 3, (std,) * 3)


@pytest.mark.parametrize(
    'found', [dict(size=dict(height=3, width=4)), dict(size=8, rescale_factor=1 / 127.5), dict()]
)
def test_settings_that_a_size_and_a_mean_cannot_express(folder, found):
    (folder / 'preprocessor_config.json').write_text(json.dumps(found))
    with pytest.raises(CheckpointError, match='Give image_size, image_mean and image_std yourself'):
        read_image_settings(str(folder))


def test_a_name_that_is_not_there_says_how_to_get_it():
    pytest.importorskip('transformers')
    for name in ('nobody/nothing', 'models/not/there', '/nowhere'):
        with pytest.raises(CheckpointError, match=MISSING) as error:
            read_model_config(name)
        assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('file', 'content', 'message'),
    [
        ('config.json', None, 'config.json cannot be used'),
        ('config.json', '{', 'config.json cannot be used'),
        ('config.json', '{"model_type": "no_such_thing"}', 'config.json cannot be used'),
        ('preprocessor_config.json', None, 'preprocessor_config.json cannot be used'),
        ('model.safetensors', None, r'holds no \.safetensors file, only config\.json, prepro'),
        ('model.safetensors', 'x', 'model.safetensors cannot be used'),
    ],
)
def test_a_broken_folder(folder, file, content, message):
    config = read_model_config(str(folder))
    (folder / file).unlink() if content is None else (folder / file).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        read_model_config(str(folder))
        read_image_settings(str(folder))
        load_vision_weights(build_vision_model(config, 'x'), str(folder), [])


def test_code_of_a_folder_never_runs(folder):
    (folder / 'evil.py').write_text(f'open({str(folder / "mark")!r}, "w").close()\nclass C: pass\n')
    config = dict(model_type='evil', auto_map=dict(AutoConfig='evil.C', AutoModel='evil.C'))
    (folder / 'config.json').write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match='config.json cannot be used'):
        read_model_config(str(folder))
    assert not (folder / 'mark').exists()


def test_a_pickle_is_not_read(folder):
    (folder / 'model.safetensors').rename(folder / 'pytorch_model.bin')
    net = build_vision_model(read_model_config(str(folder)), 'x')
    with pytest.raises(CheckpointError, match='Pickled weights are not read'):
        load_vision_weights(net, str(folder), [])


def test_a_missing_weight_that_is_needed(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / 'model.safetensors')
    del weights['layernorm.weight']
    save_file(weights, folder / 'model.safetensors', metadata=dict(format='pt'))
    net = build_vision_model(read_model_config(str(folder)), 'x')
    before = net.layernorm.weight.clone().fill_(7)
    net.layernorm.weight.data.copy_(before)
    with pytest.raises(CheckpointError, match=r'lacks 1 .*layernorm\.weight. Take the whole model'):
        load_vision_weights(net, str(folder), ['layernorm.weight', 'layernorm.bias'])
    assert torch.equal(net.layernorm.weight, before)


def test_a_model_of_texts_is_refused(folder):
    transformers = pytest.importorskip('transformers')
    size = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    config = transformers.BertConfig(vocab_size=9, **size)
    with pytest.raises(CheckpointError, match="BertModel, whose input is 'input_ids'"):
        build_vision_model(config, 'bert')
    with pytest.raises(CheckpointError, match="type 'vit', expected 'clip'"):
        load_clip(str(folder))
    with pytest.raises(CheckpointError, match='no model can be made of its config.json'):
        build_vision_model(transformers.TrOCRConfig(), 'decoder')


def test_loading_is_quiet_and_leaves_the_settings_of_transformers(folder, capfd):
    pytest.importorskip('transformers')
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_info()
    try:
        net = build_vision_model(read_model_config(str(folder)), 'x')
        capfd.readouterr()
        load_vision_weights(net, str(folder), [])
        assert capfd.readouterr() == ('', '')
        assert logging.get_verbosity() == logging.INFO and logging.is_progress_bar_enabled()
    finally:
        logging.set_verbosity(verbosity)
