import pytest
import torch

from pcdet_kd.apis import config_root, get_model, init_model, list_models, model_config, model_infos
from pcdet_kd.apis.official_archs import OFFICIAL
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import CheckpointError, save_checkpoint_file

NAME = 'pointmlp_elite_modelnet40'
POINTS = torch.randn(2, 64, 3, generator=torch.Generator().manual_seed(0))


def logits(model):
    with torch.no_grad():
        return model.eval()(dict(points=POINTS), mode='tensor').logits


def test_models_are_listed_by_pattern():
    names = list_models()
    assert names == sorted(names) and set(names) == set(model_infos())
    assert NAME in list_models('pointmlp*') and all(
        n.startswith('pointmlp') for n in list_models('pointmlp*')
    )
    assert (
        list_models('nothing*') == []
        and list_models('MLP_Elite_m') == list_models('*mlp_elite_m*') != []
    )
    for info in model_infos().values():
        assert info.config.is_file() and info.config.is_relative_to(config_root()) and info.family


def test_a_model_is_built_by_name_with_options():
    model = get_model(NAME, **{'model.head.num_classes': 7})
    assert model.training and model.head.num_classes == 7
    assert sum(p.numel() for p in get_model(NAME).parameters()) == 716_232


def test_a_distiller_gives_its_student():
    model = get_model('hinton_pointmlp_elite_scanobjectnn')
    assert (
        type(model).__name__ == 'PointClassifier'
        and type(model.backbone).__name__ == 'PointMLPElite'
    )


def test_an_unknown_name_gets_a_suggestion_and_hosted_weights_are_refused():
    with pytest.raises(ValueError, match=f"Did you mean '{NAME}'"):
        get_model('pointmlp_elite_modelnet4')
    with pytest.raises(ValueError, match='no weights are hosted'):
        get_model(NAME, pretrained=True)


def test_a_name_stands_for_its_config(tmp_path):
    assert model_config(NAME) == model_infos()[NAME].config and not init_model(NAME).training
    assert model_config(tmp_path / 'my.py') == tmp_path / 'my.py'
    with pytest.raises(FileNotFoundError, match=f"nor a model. Did you mean '{NAME}'"):
        init_model('pointmlp_elite_modelnet4')


@pytest.mark.parametrize('prefix', ['', 'student.'])
def test_weights_come_back(tmp_path, prefix):
    model = get_model(NAME)
    path = tmp_path / 'model.pth'
    state = {prefix + k: v for k, v in model.state_dict().items()}
    save_checkpoint_file(
        dict(state_dict=state, meta=dict(dataset_meta=dict(classes=('a', 'b')))), path
    )
    assert torch.equal(logits(get_model(NAME, pretrained=path)), logits(model))
    ready = init_model(model_infos()[NAME].config, path)
    assert not ready.training and ready.dataset_meta['classes'] == ('a', 'b')
    assert torch.equal(logits(ready), logits(model))
    with pytest.raises(CheckpointError, match=r'model\.pth does not fit'):
        init_model(model_infos()['pointnet_modelnet40'].config, path)


def test_a_converted_checkpoint_describes_its_model(tmp_path):
    config = dict(OFFICIAL['pointnet2_ssg_yanx27'].model)
    config['head'] = dict(config['head'], num_classes=40)
    weights = MODELS.build(config).state_dict()
    path = tmp_path / 'converted.pth'
    save_checkpoint_file(dict(state_dict=weights, meta=dict(model=config)), path)
    model = init_model(checkpoint=path)
    assert type(model.backbone).__name__ == 'PointNet2SSG' and model.head.num_classes == 40
    save_checkpoint_file(dict(state_dict=weights), path)
    with pytest.raises(ValueError, match='needs a config'):
        init_model(checkpoint=path)
    with pytest.raises(ValueError, match='needs a config'):
        init_model()


@pytest.mark.parametrize('content', [[1], torch.zeros(2), 'text', {}, dict(meta=[1])])
def test_a_file_without_weights_is_named(tmp_path, content):
    path = tmp_path / 'mine.pth'
    save_checkpoint_file(content, path)
    for build in (init_model, get_model):
        with pytest.raises(CheckpointError, match=r'mine\.pth holds no weights: it is a'):
            build(NAME, path)


def test_a_meta_that_is_no_dict_is_named(tmp_path):
    save_checkpoint_file(dict(state_dict=dict(a=torch.ones(1)), meta=[1]), tmp_path / 'mine.pth')
    with pytest.raises(CheckpointError, match=r"mine\.pth: .*\('meta'\) is a list"):
        init_model(checkpoint=tmp_path / 'mine.pth')
