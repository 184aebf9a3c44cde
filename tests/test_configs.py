"""Every shipped config loads, passes the check, builds, takes one step, and can be dumped and read
again.
"""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.engine import SampleNamesHook
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.pipeline import feature_banks
from pcdet_kd.engine.stages import _variables_of_stages, plan
from pcdet_kd.registry import DATASETS, MODELS, PARAM_SCHEDULERS
from pcdet_kd.testing import write_tiny_layouts
from pcdet_kd.testing.hugging_face import save_tiny_hf_model
from pcdet_kd.utils.checkpoint import save_checkpoint_file

ROOT = Path(__file__).parents[1]
LEAVES = sorted(
    p for p in (ROOT / 'configs').rglob('*.py') if not {'_base_', 'tables'} & {*p.parts}
)
SMALL = {'num_points': 64, 'image_size': 32, 'batch_size': 2, 'num_workers': 0}


@pytest.fixture(scope='session')
def small_data(tmp_path_factory) -> dict[str, dict]:
    """Few clouds in the official layouts, as options by data set."""
    root = tmp_path_factory.mktemp('data')
    write_tiny_layouts(root, train=80, test=40)
    rendered = dict(
        data_root=str(root / 'modelnet40_normal_resampled'),
        views_root=str(root / 'ModelNet40_mv_20view'),
        num_views=2,
        image_size=32,
    )
    parts = 'shapenetcore_partanno_segmentation_benchmark_v0_normal'
    models = str(root / 'modelnet40_ply_hdf5_2048')
    return dict(
        ScanNetCls={'data_root': str(root / 'ScanNetV2_cls')},
        ScanObjectNN={'data_root': str(root / 'ScanObjectNN')},
        ModelNet40={'data_root': models},
        ShapeNet55={'data_root': str(root / 'ShapeNet55-34')},
        ShapeNetPart={'data_root': str(root / parts)},
        FewShotFold={'data_root': models, 'way': 2, 'shot': 1, 'test_per_class': 1},
        PointBERTFewShot={'data_root': str(root / 'ModelNetFewshot')},
        hf_model=tiny_hf_model(root / 'clip'),
        SyntheticScans={'num_train': 45, 'num_test': 15},
        ModelNet40Resampled=rendered,
    )


def tiny_hf_model(folder: Path) -> str | None:
    """Write a model whose features have 16 channels, where its package is installed."""
    if find_spec('transformers') is None:
        return None
    return save_tiny_hf_model(folder, 'clip', words=('chair', 'table'))


@pytest.fixture(scope='session')
def shared_folder(tmp_path_factory) -> Path:
    """One working directory for all configs, so that stages and banks that several need are made
    once.
    """
    return tmp_path_factory.mktemp('runs')


def options_for(leaf: Path, small_data: dict) -> dict:
    """Options that make a config small."""
    cfg = load_config(leaf)
    options = {**SMALL, **small_data[cfg.train_dataloader.dataset.type]}
    if cfg.model.type == 'AsymDSD':  # crops have their own numbers of points
        del options['num_points']
        sizes = dict(depth=2, embed_dims=48, num_patches=16)
        options.update({f'model.student.backbone.{key}': size for key, size in sizes.items()})
        if cfg.model.get('local_patches'):
            options['model.local_patches'] = 8
    if cfg.get('labels'):
        options['labels'] = 0.6
    known = _variables_of_stages(leaf)
    if 'hf_model' in known:
        pytest.importorskip('transformers')
        options.update(hf_model=small_data['hf_model'], feature_channels=16)
    return {name: value for name, value in options.items() if '.' in name or name in known}


@pytest.mark.parametrize('leaf', LEAVES, ids=lambda p: str(p.relative_to(ROOT / 'configs')))
def test_one_step(leaf, small_data, shared_folder, monkeypatch, tmp_path):
    monkeypatch.chdir(shared_folder)
    monkeypatch.setenv('XDG_CACHE_HOME', str(shared_folder / 'cache'))
    options = options_for(leaf, small_data)
    stages = plan(leaf, options)
    if 'num_points' in stages[-1].cfg.get('own_variables', ()):  # the stages are small all the same
        sizes = {f'{stage.name}.num_points': SMALL['num_points'] for stage in stages[:-1]}
        stages = plan(leaf, options, sizes)
    for stage in stages[:-1]:
        if not stage.weights.exists():
            stage.work_dir.mkdir(parents=True, exist_ok=True)
            last = stage.work_dir / 'last.pth'
            save_checkpoint_file(dict(state_dict=MODELS.build(stage.cfg.model).state_dict()), last)
            if stage.weights != last:
                stage.weights.hardlink_to(last)
    cfg = stages[-1].resolved()
    cfg.dump(str(tmp_path / 'dumped.py'))
    assert Config.fromfile(tmp_path / 'dumped.py').model == cfg.model
    for bank in feature_banks(cfg):
        bank.build()
    model = MODELS.build(cfg.model)
    model.init_weights()
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    runner = SimpleNamespace(model=model, train_dataloader=SimpleNamespace(dataset=dataset))
    SampleNamesHook().before_train(runner)
    batch = collate_points([dataset[i] for i in range(2)])
    losses = model.train()(**model.data_preprocessor(batch, True), mode='loss')
    loss = sum(value for name, value in losses.items() if name.startswith('loss_'))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


# Optimiser, learning rate, weight decay; what becomes of the rate; epochs, batch, clipping,
# smoothing; transforms in training. Of the code of: yanx27/Pointnet_Pointnet2_pytorch,
# WangYueFt/dgcnn, Yochengliu/Relation-Shape-CNN, ma-xu/pointMLP-pytorch, hancyran/RepSurf,
# princeton-vl/SimpleView, guochengqian/PointNeXt.
_DGCNN = 'FirstPoints RandomScale RandomShift ShufflePoints'
_PORT = 'RandomPointDropout RandomScale RandomShift'
_FPS = 'ShufflePoints FarthestThenRandom RandomScale RandomShift'
_NEXT = 'ShufflePoints RandomScale AddHeight UnitSphere RandomRotate FarthestThenRandom'
RECIPES = {
    'pointnet_modelnet40': (
        'Adam',
        1e-3,
        1e-4,
        dict(step_size=20, gamma=0.7),
        200,
        24,
        None,
        0,
        f'FirstPoints {_PORT}',
    ),
    'pointnet2_modelnet40': (
        'Adam',
        1e-3,
        1e-4,
        dict(step_size=20, gamma=0.7),
        200,
        24,
        None,
        0,
        f'FirstPoints {_PORT}',
    ),
    'pointnet2_msg_scanobjectnn': (
        'Adam',
        1e-3,
        1e-4,
        dict(step_size=20, gamma=0.7),
        200,
        24,
        None,
        0,
        f'FirstPoints UnitSphere {_PORT}',
    ),
    'dgcnn_modelnet40': (
        'SGD',
        0.1,
        1e-4,
        dict(T_max=250, eta_min=1e-3),
        250,
        32,
        None,
        0.2,
        _DGCNN,
    ),
    'rscnn_modelnet40': ('Adam', 1e-3, None, dict(step_size=21, gamma=0.7), 200, 32, None, 0, _FPS),
    'rscnn_scanobjectnn': (
        'Adam',
        1e-3,
        None,
        dict(step_size=21, gamma=0.7),
        200,
        32,
        None,
        0,
        _FPS,
    ),
    'pointmlp_modelnet40': (
        'SGD',
        0.1,
        2e-4,
        dict(T_max=300, eta_min=0.005),
        300,
        32,
        1,
        0.2,
        _DGCNN,
    ),
    'pointmlp_elite_scanobjectnn': (
        'SGD',
        0.01,
        1e-4,
        dict(T_max=200, eta_min=1e-4),
        200,
        32,
        None,
        0.2,
        _DGCNN,
    ),
    'repsurf_scanobjectnn': (
        'Adam',
        1e-3,
        1e-4,
        dict(gamma=0.7),
        250,
        64,
        None,
        0.1,
        'FarthestPoints',
    ),
    'repsurf_2x_scanobjectnn': (
        'Adam',
        1e-3,
        1e-4,
        dict(gamma=0.7),
        250,
        64,
        None,
        0.1,
        'FarthestPoints',
    ),
    'simpleview_modelnet40': (
        'Adam',
        1e-3,
        None,
        dict(factor=0.5, patience=10, min_value=1e-5),
        1000,
        18,
        None,
        0.2,
        _DGCNN,
    ),
    'simpleview_scanobjectnn': (
        'Adam',
        1e-3,
        None,
        dict(step_size=20000, gamma=0.7, by_epoch=False),
        300,
        10,
        None,
        0,
        'RandomPoints UnitSphere RandomRotate RandomJitter',
    ),
    'pointnext_s_modelnet40': (
        'AdamW',
        1e-3,
        0.05,
        dict(T_max=600, eta_min=1e-6),
        600,
        32,
        1,
        0.2,
        _DGCNN,
    ),
    'pointnext_s_scanobjectnn': (
        'AdamW',
        2e-3,
        0.05,
        dict(T_max=200, eta_min=1e-4),
        250,
        32,
        10,
        0.3,
        _NEXT,
    ),
    'pointnet2_scanobjectnn_pointnext': (
        'AdamW',
        2e-3,
        0.05,
        dict(T_max=200, eta_min=1e-4),
        250,
        32,
        10,
        0.3,
        _NEXT,
    ),
    'dgcnn_modelnet40_pointnext': (
        'AdamW',
        1e-3,
        0.05,
        dict(T_max=600, eta_min=1e-6),
        600,
        32,
        1,
        0.2,
        _DGCNN,
    ),
}


@pytest.mark.parametrize('name', RECIPES)
def test_a_recipe_is_its_authors(name):
    kind, lr, decay, schedule, epochs, batch, clip, smoothing, transforms = RECIPES[name]
    cfg = load_config(ROOT / f'configs/baseline/{name}.py')
    optim, loss = cfg.optim_wrapper, cfg.model.head.loss
    assert (optim.optimizer.type, optim.optimizer.lr, optim.optimizer.get('weight_decay')) == (
        kind,
        lr,
        decay,
    )
    assert optim.optimizer.get('momentum') == (0.9 if kind == 'SGD' else None)
    assert {key: cfg.param_scheduler[key] for key in schedule} == pytest.approx(schedule)
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    assert optim.get('clip_grad') == (clip and dict(max_norm=clip))
    assert (loss.get('label_smoothing', 0), loss.get('smoothing')) == (
        smoothing,
        'others' if smoothing else None,
    )
    assert (
        ' '.join(step.type for step in cfg.train_dataloader.dataset.pipeline)
        == f'{transforms} PackPointInputs'
    )


@pytest.mark.parametrize(
    'leaf', sorted((ROOT / 'configs/baseline').glob('*_scanobjectnn*.py')), ids=lambda p: p.stem
)
def test_the_variants_of_scanobjectnn_are_one_option_away(leaf):
    cfg = load_config(leaf, dict(variant='OBJ_BG'))
    data = [
        cfg[f'{split}_dataloader'].dataset for split in ('train', 'val', 'test')
    ] + cfg.bank_data
    assert {part.variant for part in data} == {'OBJ_BG'}


def test_every_config_of_a_student_is_listed():
    """All leaves but teachers, generators and auto-encoders, probes, and the demo."""
    import yaml

    listed = {
        entry['Config']
        for file in yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
        for entry in yaml.safe_load((ROOT / file).read_text())['Models']
    }
    missing = {str(leaf.relative_to(ROOT)) for leaf in LEAVES} - listed
    assert not [
        leaf
        for leaf in missing
        if not Path(leaf).name.startswith(('mvcnn_', 'hf_', 'generator_', 'autoencoder_', 'probe_'))
        and not leaf.endswith('_syntheticscans.py')
    ]


def test_a_leaf_shows_only_the_difference():
    for leaf in LEAVES:
        assert len(leaf.read_text().splitlines()) <= 40, f'{leaf}: a leaf has 40 lines at most'


def test_metafiles_name_configs_and_their_parameters():
    """Every number in a metafile is the model's."""
    import yaml

    files = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert sorted(files) == sorted(
        str(p.relative_to(ROOT)) for p in (ROOT / 'configs').rglob('metafile.yml')
    )
    names = []
    for file in files:
        for entry in yaml.safe_load((ROOT / file).read_text())['Models']:
            model = load_config(ROOT / entry['Config']).model
            with torch.device('meta'):
                built = MODELS.build(model.get('student', model))
            assert sum(p.numel() for p in built.parameters()) == entry['Metadata']['Parameters'], (
                entry['Name']
            )
            assert entry['Name'].endswith(Path(entry['Config']).stem)
            names.append(entry['Name'])
    assert len(names) == len(set(names)), 'two models of one name: put the method before it'


def rates(leaf, steps=3):
    """Return the learning rate of each step of a config that has ``steps`` steps an epoch."""
    cfg = load_config(ROOT / f'configs/asymdsd/{leaf}.py')
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([weight], lr=cfg.optim_wrapper.optimizer.lr)
    schedulers = []
    for scheduler in cfg.param_scheduler:
        arguments = {k: v for k, v in scheduler.items() if k != 'convert_to_iter_based'}
        kind = PARAM_SCHEDULERS.get(arguments.pop('type'))
        schedulers.append(
            kind.build_iter_from_epoch(optimizer=optimizer, epoch_length=steps, **arguments)
        )
    found = []
    for _ in range(cfg.train_cfg.max_epochs * steps):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return found


# the rate at the end of warm-up, at the end, and the smoothing; spec of the authors' code
@pytest.mark.parametrize(
    ('leaf', 'top', 'end', 'hidden', 'transforms'),
    [
        ('finetune_scanobjectnn', 2e-5, 1e-7, (256, 256), 'RandomRotate RandomScale'),
        ('linear_scanobjectnn_obj_bg', 5e-4, 1e-7, (), 'RandomRotate RandomScale'),
        ('mlp3_modelnet40', 5e-4, 1e-7, (256, 256), 'RandomScale'),
        ('few_shot_modelnet40', 1e-3, 1e-6, (256, 256), 'RandomScale'),
    ],
)
def test_asymdsd_recipes(leaf, top, end, hidden, transforms):
    cfg = load_config(ROOT / f'configs/asymdsd/{leaf}.py')
    found = rates(leaf)
    assert found[0] == pytest.approx(1e-7) and max(found) == pytest.approx(top)
    assert found[30] == pytest.approx(top, rel=0.02) and found[-1] == pytest.approx(end, rel=0.1)
    middle = end + (top - end) / 2
    assert found[3 * 80] == pytest.approx(middle, rel=0.02)
    steps = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert steps[1:3] == ['UnitSphere', 'ConvertUpAxis']
    assert ' '.join(steps[3:]) == f'{transforms} PackPointInputs'
    frozen = leaf.startswith(('linear', 'mlp3'))
    assert [hook.type for hook in cfg.get('custom_hooks', [])] == ['FreezeBackboneHook'] * frozen
    assert cfg.model.head.loss.label_smoothing == 0.2 and cfg.train_dataloader.batch_size == 32
    head = MODELS.build(cfg.model).head
    assert [layer.out_features for layer in head.modules() if isinstance(layer, torch.nn.Linear)][
        :-1
    ] == list(hidden)
    assert (head.fc.bias is None) == bool(hidden)
    assert cfg.optim_wrapper.optimizer.weight_decay == 0.05 and 'clip_grad' not in cfg.optim_wrapper


def test_asymdsd_two_stages():
    found = rates('finetune_modelnet40')
    assert found[0] == pytest.approx(5e-4) and found[149] == pytest.approx(5e-5, rel=0.1)
    assert found[75] == pytest.approx(2.75e-4, rel=0.02)
    assert found[150] == pytest.approx(1e-7) and found[180] == pytest.approx(2e-5, rel=0.05)
    assert max(found[150:]) <= 2e-5 * 1.001 and found[-1] == pytest.approx(1e-7, rel=0.1)
    cfg = load_config(ROOT / 'configs/asymdsd/finetune_modelnet40.py')
    assert cfg.custom_hooks == [dict(type='FreezeBackboneHook', epochs=50)]
    model = MODELS.build(cfg.model)
    model.head.init_weights()
    for layer in model.head.modules():
        if isinstance(layer, torch.nn.Linear):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert layer.weight.abs().max() <= 0.1
