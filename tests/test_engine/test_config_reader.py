"""What a file makes of a base's variable counts for the base too."""

import copy
from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict

from pcdet_kd.engine import config_reader
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.config_reader import config_files, read_config, variables_of
from pcdet_kd.engine.stages import plan

ROOT = Path(__file__).parents[2]
BASE = """
epochs = 10
warm = epochs // 5
steps = [dict(type='A', n=epochs), dict(type='B')]
train_cfg = dict(max_epochs=epochs)
scheduler = dict(warm=warm, steps=steps, other=dict(lr=0.1))
"""


def read(folder: Path, **files: str) -> dict:
    """Write files, read the last one."""
    for name, text in files.items():
        (folder / f'{name}.py').write_text(text)
    return read_config(folder / f'{next(reversed(files))}.py').to_dict()


@pytest.mark.parametrize(
    ('leaf', 'epochs', 'warm'),
    [
        ("_base_ = 'base.py'\nepochs = 20", 20, 4),
        ("_base_ = 'base.py'\nepochs = _base_.epochs + 5", 15, 3),
        ("_base_ = 'base.py'\nepochs, warm = 20, 1", 20, 1),
        ("_base_ = 'base.py'\nepochs = 20\nwarm = _base_.epochs", 20, 10),
        ("_base_ = 'base.py'\nif True:\n    epochs = 20", 20, 4),
        ("_base_ = 'base.py'\nepochs = 20\nwarm = {{_base_.warm}} * 2", 20, 8),
        ("_base_ = ['base.py', 'empty.py']\nepochs = 20", 20, 4),
        ("_base_ = 'middle.py'\nepochs = 20", 20, 4),
        ("_base_ = 'middle.py'", 50, 10),
        ("_base_ = 'middle.py'\nepochs = _base_.epochs * 2", 100, 20),
        ('from mmengine.config import read_base\nwith read_base():\n    from .base import *\n'
         'epochs = epochs * 2', 20, 4),
    ],
)  # fmt: skip
def test_a_base_is_computed_with_the_value_of_the_file_that_inherits(tmp_path, leaf, epochs, warm):
    middle = "_base_ = 'base.py'\nepochs = 50\n"
    cfg = read(tmp_path, base=BASE, empty='', middle=middle, leaf=leaf)
    assert (cfg['epochs'], cfg['train_cfg']['max_epochs']) == (epochs, epochs)
    assert (cfg['warm'], cfg['scheduler']['warm']) == (warm, warm)
    assert cfg['scheduler']['steps'][0]['n'] == epochs


def test_a_list_changed_in_place_is_changed_once(tmp_path):
    """Also where the file that changes it is evaluated with the value of another one."""
    change = "steps = _base_.steps\nsteps.insert(1, 'new')\n"
    middle = f"_base_ = 'base.py'\n{change}"
    cfg = read(tmp_path, base=BASE, middle=middle, leaf="_base_ = 'middle.py'\nepochs = 20")
    a, b = dict(type='A', n=20), dict(type='B')
    assert cfg['scheduler']['steps'] == cfg['steps'] == [a, 'new', b]
    cfg = read(tmp_path, leaf=f"_base_ = 'middle.py'\n{change}")
    assert cfg['scheduler']['steps'] == [dict(a, n=10), 'new', 'new', b]


def test_a_value_of_several_may_hang_on_another(tmp_path):
    leaf = "_base_ = 'base.py'\nepochs = 20\nsteps = [*_base_.steps[:1], 'end']\n"
    assert read(tmp_path, base=BASE, leaf=leaf)['scheduler']['steps'] == [
        dict(type='A', n=20),
        'end',
    ]
    with pytest.raises(ConfigError, match='epochs.*: its value depends on itself'):
        read(tmp_path, leaf="_base_ = 'base.py'\nepochs = _base_.warm\n")


def test_a_dict_is_merged_before_the_base_sees_it(tmp_path):
    base = "data = dict(root='a', split=dict(name='x', n=1))\ntrain = dict(data, shuffle=True)\n"
    cfg = read(tmp_path, base=base, leaf="_base_ = 'base.py'\ndata = dict(split=dict(n=2))\n")
    assert cfg['train'] == dict(root='a', split=dict(name='x', n=2), shuffle=True)
    whole = "_base_ = 'base.py'\ndata = dict(_delete_=True, root='b')\n"
    assert read(tmp_path, leaf=whole)['train'] == dict(root='b', shuffle=True)


def test_a_dict_may_stand_where_the_base_has_none(tmp_path):
    files = dict(base='extra = None\nall_of = [extra]\nmodel = dict(a=1)')
    found = read(tmp_path, **files, leaf="_base_ = 'base.py'\nextra = dict(x=2)")
    assert found['extra'] == dict(x=2) and found['all_of'] == [dict(x=2)]
    with pytest.raises(ConfigError, match=r'leaf.py.*\n.*cannot inherit from base'):
        read(tmp_path, **files, leaf="_base_ = 'base.py'\nmodel = dict(a=dict(b=1))")


def test_aliases_count_and_keys_of_the_runner_do_not(tmp_path):
    base = 'student = dict(head=dict(n=1))\nmodel = dict(student=student)\nval_cfg = dict(a=1)\n'
    leaf = "_base_ = 'base.py'\nstudent = _base_.student\nstudent.head.update(n=2)\nval_cfg = {}\n"
    cfg = read(tmp_path, base=f'{base}test_cfg = val_cfg\n', leaf=leaf)
    assert cfg['model'] == dict(student=dict(head=dict(n=2))) and cfg['test_cfg'] == dict(a=1)


def test_a_shipped_config_follows_a_leaf_elsewhere(tmp_path):
    leaf = "_base_ = 'pcdet_kd::pointcmt/pointmlp_scanobjectnn.py'\ndata_root = 'D'\nnum_points = 9"
    cfg = read(tmp_path, leaf=leaf)
    assert cfg['train_dataloader']['dataset']['data_root'] == 'D'
    assert cfg['model']['teachers']['image']['data'][0]['data_root'] == 'D'
    assert cfg['model']['teachers']['image']['data'][0]['pipeline'][0]['num_points'] == 9


def test_required_stages_are_found_beside_the_file_that_names_them(tmp_path):
    shipped = ROOT / 'configs/pointcmt'
    leaf = "_base_ = 'pcdet_kd::pointcmt/pointnet_syntheticscans.py'\n"
    found = read(tmp_path, leaf=leaf)['requires']
    assert found['teacher'] == str(shipped / 'mvcnn_resnet18_syntheticscans.py')
    stages = plan(tmp_path / 'leaf.py', dict(image_size=32))  # only the teacher has this variable
    assert [s.name for s in stages] == ['teacher', 'generator', 'leaf']
    for stage in stages[:2]:
        assert '32' in str(stage.cfg.model)
    mine = "requires = dict(teacher='mine.py', more='pcdet_kd::kd/a.py')\n"
    found = read(tmp_path, leaf=leaf + mine)['requires']
    assert found['teacher'] == str(tmp_path / 'mine.py')
    assert found['more'] == str(ROOT / 'configs/kd/a.py')
    assert found['generator'] == str(shipped / 'generator_syntheticscans.py')


@pytest.mark.parametrize(
    ('leaf', 'words'),
    [
        ('a = 1\nb = a / 0\n', 'leaf.py.*\n.*line 2: ZeroDivisionError'),
        ("_base_ = 'base.py'\na = _base_.epoch\n", 'leaf.py.*\n.*line 2.*epoch'),
        ("_base_ = 'leaf.py'\n", 'leaf.py.*\n.*the file is based on itself'),
        ("_base_ = ['base.py', 'other.py']\n", 'leaf.py.*\n.*more than one base defines epochs'),
        ("_base_ = 'a' + 'b'\n", 'leaf.py.*\n.*line 1: _base_ must be the name of a file'),
        ("_base_ = 'nothing_installed::a.py'\n", 'leaf.py.*\n.*nothing_installed'),
        ('import not_installed_here\n', 'leaf.py.*\n.*not_installed_here.*PYTHONPATH'),
    ],
)
def test_mistakes_name_file_and_line(tmp_path, leaf, words):
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, base=BASE, other='epochs = 1', leaf=leaf)


def test_files_and_variables(tiny_configs):
    leaf = tiny_configs / 'tiny_pointcmt.py'
    assert [f.path.name for f in config_files(leaf)] == [
        'tiny_pointcmt.py',
        'tiny_base.py',
        'default_runtime.py',
    ]
    assert {'num', 'max_epochs', 'student', 'teacher'} <= variables_of(leaf)
    assert not {'model', 'train_dataloader', 'requires'} & variables_of(leaf)


def test_placeholders_of_mmengine(tmp_path, monkeypatch):
    monkeypatch.setenv('MY_ROOT', '/data')
    text = "name = '{{ fileBasenameNoExtension }}'\nroot = '{{$MY_ROOT:here}}/x'\n"
    assert read(tmp_path, leaf=text) == dict(name='leaf', root='/data/x')


def test_new_style_bases_bring_the_names_that_are_imported(tmp_path):
    leaf = (
        'from mmengine.config import read_base\nfrom collections import OrderedDict\n'
        'with read_base():\n    from .base import epochs, warm as w\n    from .other import *\n'
        'kind = dict(type=OrderedDict, n=w)\n'
    )
    (tmp_path / 'leaf.py').write_text(leaf)
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'other.py').write_text('extra = 3\n')
    cfg = read_config(tmp_path / 'leaf.py')
    assert set(cfg) == {'epochs', 'w', 'extra', 'kind'}
    assert cfg.kind.type.__name__ == 'OrderedDict'
    assert cfg.to_dict()['kind'] == dict(type='collections.OrderedDict', n=2)


@pytest.mark.parametrize('scope', [None, 'other'])
def test_dicts_are_converted_as_mmengine_does(scope):
    node = dict(model=dict(type='A', part=dict(type='B')), steps=[dict(type='C'), (dict(x=1),)])
    ours = config_reader._config_dict(node, scope)
    theirs = Config._dict_to_config_dict(ConfigDict(copy.deepcopy(node)), scope)
    assert ours == theirs and type(ours.steps[1][0]) is ConfigDict
    assert (ours.model.scope, ours.model.get('_scope_')) == (scope, scope)
    ours.model.part.type = 'changed'
    assert node['model'] == dict(type='A', part=dict(type='B'))  # a copy
