import json
import sys
from types import SimpleNamespace

import pytest
import torch

pytest.importorskip('safetensors')

from pcdet_kd.apis import from_pretrained, init_model, save_pretrained
from pcdet_kd.apis.export.description import ExportError
from pcdet_kd.apis.export.pretrained import PretrainedModel
from pcdet_kd.apis.models import model_config
from pcdet_kd.engine.config import load_config
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.errors import MissingPackageError

CONFIG = 'pointnet_small_modelnet40'


@pytest.fixture
def saved(weights, tmp_path):
    model = init_model(CONFIG, weights)
    return model, save_pretrained(model, tmp_path / 'net', CONFIG)


def test_a_folder_gives_the_model_back(saved):
    model, folder = saved
    assert {p.name for p in folder.iterdir()} == {'README.md', 'config.json', 'model.safetensors'}
    twin = from_pretrained(folder)
    points = torch.randn(3, 50, 3)
    assert torch.equal(twin(dict(points=points)).logits, model(dict(points=points)).logits)
    assert not twin.training and twin.dataset_meta['up_axis'] == 'y'
    assert twin.dataset_meta['classes'][0] == 'airplane'
    logits, feature = PretrainedModel(folder)(points)
    out = model(dict(points=points))
    assert torch.equal(logits, out.logits) and torch.equal(feature, out.feat)


def test_a_card_that_is_there_is_kept(saved):
    model, folder = saved
    (folder / 'README.md').write_text('mine')
    save_pretrained(model, folder, CONFIG)
    assert (folder / 'README.md').read_text() == 'mine'


def test_a_distiller_is_saved_as_its_student(weights, tmp_path):
    model = init_model(CONFIG, weights)
    distiller = load_config(model_config('jgekd_pointnet_small_self_modelnet40'))
    from pcdet_kd.registry import MODELS

    whole = MODELS.build(distiller.model)
    whole.student.load_state_dict(model.state_dict())
    folder = save_pretrained(whole, tmp_path / 'net', distiller)
    points = torch.randn(2, 30, 3)
    found = from_pretrained(folder)(dict(points=points)).logits
    assert torch.equal(found, model(dict(points=points)).logits)


def test_a_model_that_plain_values_cannot_tell(tmp_path):
    cfg = load_config(model_config(CONFIG))
    linear = dict(in_features=3, out_features=8)
    cfg.model.backbone = dict(
        type='WrappedModule',
        module='torch.nn:Linear',
        kwargs=linear,
        out_channels=8,
        output='points',
    )
    with pytest.raises(ExportError, match='cannot be kept in a file'):
        save_pretrained(init_model(cfg), tmp_path / 'net', cfg)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(type='os.system'), 'not a registered model'),
        (dict(_scope_='os'), 'would read another file or import a module'),
        (dict(input_key='a/b'), 'a plain word only'),
        (dict(nonsense=1), 'cannot be built'),
    ],
)
def test_a_config_runs_no_code(saved, change, message):
    _, folder = saved
    values = json.loads((folder / 'config.json').read_text())
    values['model'].update(change)
    (folder / 'config.json').write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=f'config.json.*{message}'):
        from_pretrained(folder)


def test_damaged_folders(saved, tmp_path):
    _, folder = saved
    with pytest.raises(CheckpointError, match='a folder that pcdet-kd export wrote'):
        from_pretrained(tmp_path / 'nothing')
    whole = (folder / 'model.safetensors').read_bytes()
    (folder / 'model.safetensors').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r'model\.safetensors cannot be used'):
        from_pretrained(folder)
    (folder / 'model.safetensors').unlink()
    with pytest.raises(CheckpointError, match=r'model\.safetensors cannot be used'):
        from_pretrained(folder)
    for text in ('{', '[1]', '[' * 10**5, ' ' * 2**23):
        (folder / 'config.json').write_text(text)
        with pytest.raises(CheckpointError, match=r'config\.json cannot be used'):
            from_pretrained(folder)


def test_a_repository(saved, monkeypatch):
    model, folder = saved
    asked = []

    def snapshot_download(name, allow_patterns):
        if name == 'owner/none':
            raise OSError('404')
        asked.append((name, sorted(allow_patterns)))
        return str(folder)

    monkeypatch.setitem(
        sys.modules, 'huggingface_hub', SimpleNamespace(snapshot_download=snapshot_download)
    )
    points = torch.randn(2, 30, 3)
    found = from_pretrained('owner/net')(dict(points=points)).logits
    assert torch.equal(found, model(dict(points=points)).logits)
    assert asked == [('owner/net', ['README.md', 'config.json', 'model.safetensors'])]
    with pytest.raises(CheckpointError, match='cannot be downloaded from Hugging Face: 404'):
        from_pretrained('owner/none')
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(MissingPackageError, match='pip install huggingface_hub'):
        from_pretrained('owner/net')


def test_what_to_install(saved, monkeypatch, tmp_path):
    model, folder = saved
    for name in ('safetensors', 'safetensors.torch'):
        monkeypatch.setitem(sys.modules, name, None)
    for use in (
        lambda: from_pretrained(folder),
        lambda: save_pretrained(model, tmp_path / 'other', CONFIG),
    ):
        with pytest.raises(MissingPackageError, match=r'pip install .pcdet_kd\[export\]'):
            use()
