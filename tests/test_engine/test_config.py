import sys

import pytest

from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import MODELS


def write(folder, **files):
    for name, text in files.items():
        (folder / f'{name}.py').write_text(text)
    return folder / f'{next(reversed(files))}.py'


def test_a_variable_changes_all_that_is_computed_from_it(tiny_configs):
    cfg = load_config(tiny_configs / 'tiny_pointcmt.py', {'num': 12, 'max_epochs': 5})
    assert cfg.train_dataloader.dataset.num == cfg.model.teachers.image.data[0].num == 12
    assert cfg.train_cfg.max_epochs == 5
    assert cfg.filename == str(tiny_configs / 'tiny_pointcmt.py')


def test_a_dotted_path_changes_one_value(tiny_configs):
    cfg = load_config(
        tiny_configs / 'tiny_pointcmt.py',
        {
            'optim_wrapper.optimizer.lr': 0.5,
            'model.preset': 'released',
            'train_dataloader.dataset.pipeline.0.low': 0.9,
        },
    )
    assert (cfg.optim_wrapper.optimizer.lr, cfg.model.preset) == (0.5, 'released')
    assert cfg.train_dataloader.dataset.pipeline[0].low == 0.9
    assert (
        'low'
        not in load_config(tiny_configs / 'tiny_pointcmt.py').train_dataloader.dataset.pipeline[0]
    )


@pytest.mark.parametrize(
    ('option', 'words'),
    [
        ('train_dataloder.batch_size', "'train_dataloader'"),
        ('max_epoch', "'max_epochs'"),
        ('train_cfg.max_epoch', "'max_epochs'"),
        ('optim_wrapper.optimizer.learning_rate', 'Adam has no such argument'),
        ('train_dataloader.batchsize', "'batch_size'"),
        ('train_dataloader.dataset.pipeline.7.low', 'list of 2'),
        ('model.preset.x', "has no 'x'"),
        ('model.student.backbone.local_chanels', "'local_channels'"),
        ('randomness.sead', "'seed'"),
        ('teacher.model.input_key', 'computed from already'),
    ],
)
def test_an_option_that_leads_nowhere_is_an_error(tiny_configs, option, words):
    with pytest.raises(ConfigError, match=words) as error:
        load_config(tiny_configs / 'tiny_pointcmt.py', {option: 1})
    assert option.rsplit('.', 2)[0] in str(error.value)


def test_a_number_given_as_text_is_named(tiny_configs):
    with pytest.raises(ConfigError, match="num: found 'abc', expected a number such as 24"):
        load_config(tiny_configs / 'tiny_pointcmt.py', {'num': 'abc'})


def test_a_missing_config_suggests_its_neighbour(tiny_configs):
    with pytest.raises(FileNotFoundError, match='tiny_teacher.py'):
        load_config(tiny_configs / 'tiny_techer.py')


def test_a_config_of_the_repository_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match='as pcdet_kd::baseline/dgcnn_modelnet40.py from'):
        load_config('configs/baseline/dgcnn_modelnet40.py')


def test_a_missing_base_names_who_wants_it(tmp_path):
    leaf = write(tmp_path, leaf="_base_ = 'gone.py'\n")
    with pytest.raises(ConfigError, match=r'leaf\.py.*\n.*gone\.py'):
        load_config(leaf)


def test_a_syntax_error_names_file_and_line(tmp_path):
    leaf = write(tmp_path, base='a = 1\nb = (\n', leaf="_base_ = 'base.py'\n")
    with pytest.raises(ConfigError, match=r'base\.py.*\n.*line 2'):
        load_config(leaf)


def test_new_style_configs(tmp_path, tiny_configs, monkeypatch):
    package = tmp_path / 'lazy_configs'
    package.mkdir()
    (package / '__init__.py').touch()
    write(
        package,
        model='width = 16\nhead = dict(type="MLPHead", hidden_channels=(), num_classes=3)\n',
        leaf='from mmengine.config import read_base\nwith read_base():\n    from .model import *\n'
        'from lazy_parts import MyBackbone\n'
        'model = dict(type="PointClassifier", backbone=dict(type=MyBackbone, width=width), '
        'head=head)\n',
    )
    (tmp_path / 'lazy_parts.py').write_text(
        'from torch import nn\nfrom pcdet_kd.structures import PointFeatures\n'
        'class MyBackbone(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n'
        '        self.out_channels = width\n        self.fc = nn.Linear(3, width)\n'
        '    def forward(self, points):\n        return PointFeatures(self.fc(points).amax(1))\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    cfg = load_config(package / 'leaf.py')
    model = MODELS.build(cfg.model)
    assert type(model.backbone).__name__ == 'MyBackbone' and model.head.fc.in_features == 16
    with pytest.raises(
        ConfigError,
        match=r"model\.backbone\.widht: MyBackbone has no such argument. Did you mean 'width'",
    ):
        load_config(package / 'leaf.py', {'model.backbone.widht': 4})
    sys.modules.pop('lazy_parts', None)


def test_custom_imports_bring_parts_of_other_packages(tmp_path, monkeypatch):
    (tmp_path / 'my_losses.py').write_text(
        'from torch import nn\nfrom pcdet_kd.registry import LOSSES\n'
        '@LOSSES.register_module(force=True)\nclass MyImportedLoss(nn.Module):\n'
        '    def forward(self, student_logits, target):\n        return student_logits.sum()\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    leaf = write(
        tmp_path,
        leaf="custom_imports = dict(imports=['my_losses'], allow_failed_imports=False)\n"
        "model = dict(type='PointClassifier', backbone=dict(type='PointNet'),\n"
        "             head=dict(type='MLPHead', num_classes=3, loss=dict(type='MyImportedLoss')))\n",  # noqa: E501
    )
    assert type(MODELS.build(load_config(leaf).model).head.loss_cls).__name__ == 'MyImportedLoss'


def test_a_module_that_cannot_be_imported_is_named(tmp_path):
    leaf = write(tmp_path, leaf="custom_imports = dict(imports=['my_losses_elsewhere'])\n")
    with pytest.raises(
        ConfigError, match=r'leaf\.py: 1 problem\n.*my_losses_elsewhere.*PYTHONPATH'
    ):
        load_config(leaf)


def test_a_base_may_be_a_shipped_config(tmp_path):
    leaf = tmp_path / 'mine.py'
    leaf.write_text(
        "_base_ = ['pcdet_kd::_base_/students/pointmlp_elite.py', "
        "'pcdet_kd::_base_/datasets/modelnet40.py',\n"
        "          'pcdet_kd::_base_/schedules/sgd_cosine_300e.py', "
        "'pcdet_kd::_base_/default_runtime.py']\n"
        'model = _base_.student\n'
    )
    cfg = load_config(leaf, {'num_points': 77})
    assert cfg.model.backbone.type == 'PointMLPElite' and cfg.model.head.num_classes == 40
    assert cfg.test_dataloader.dataset.pipeline[0].num_points == 77
    leaf.write_text("_base_ = 'pcdet_kd::_base_/students/pointmlp_elit.py'\n")
    with pytest.raises(ConfigError, match=r'no file .*pointmlp_elit\.py'):
        load_config(leaf)
