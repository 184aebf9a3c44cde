import sys

import pytest
import torch
from torch import nn

from pcdet_kd.apis import init_model
from pcdet_kd.datasets.transforms import UnitSphere
from pcdet_kd.registry import BACKBONES, MODELS
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.stored_model import (
    build_stored_model,
    check_stored_transforms,
    describe_model,
    describe_transforms,
)

HEAD = dict(type='MLPHead', num_classes=3, hidden_channels=())
NET = dict(type='PointNet', local_channels=(8,), global_channels=(8,))
STUDENT = dict(type='PointClassifier', backbone=NET, head=HEAD)
WEIGHTS = dict(a=torch.zeros(2))


def wrapping(**arguments):
    return dict(STUDENT, backbone=dict(type='WrappedModule', out_channels=8, **arguments))


def with_net(**arguments):
    return dict(STUDENT, backbone=dict(NET, **arguments))


def exploits(mark):
    touch = f'touch {mark}'
    return dict(
        system=dict(type='os.system', command=touch),
        getoutput=dict(type='subprocess.getoutput', cmd=touch),
        nested=dict(STUDENT, backbone=dict(type='subprocess.getoutput', cmd=touch)),
        listed=dict(STUDENT, head=dict(HEAD, loss=[dict(type='os.system', command=touch)])),
        wrapped=wrapping(module='subprocess:getoutput', kwargs=dict(cmd=touch)),
        module=dict(type='pcdet_kd_evil'),
        attribute=dict(type='pcdet_kd_evil.Net'),
        scope=dict(STUDENT, _scope_='pcdet_kd_evil'),
    )


@pytest.fixture
def mark(tmp_path, monkeypatch):
    """A file that is there once code from a checkpoint has run."""
    package = tmp_path / 'pcdet_kd_evil'
    package.mkdir()
    code = f'open({str(tmp_path / "mark")!r}, "w").close()\n'
    (package / '__init__.py').write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / 'mark'
    sys.modules.pop('pcdet_kd_evil', None)


@pytest.mark.parametrize('name', exploits(''))
def test_a_file_runs_no_code(name, mark, tmp_path):
    file = tmp_path / 'evil.pth'
    torch.save(dict(meta=dict(model=exploits(mark)[name]), state_dict=WEIGHTS), file)
    with pytest.raises(CheckpointError, match=r'evil\.pth: the model that it describes cannot'):
        init_model(checkpoint=file)
    assert not mark.exists()


@pytest.mark.parametrize(
    'cfg, words',
    [
        (with_net(init_cfg=dict(type='Pretrained', checkpoint='x.pth')), 'backbone.init_cfg would'),
        (dict(type='MultiViewResNet', pretrained='x'), 'model.pretrained would read another file'),
        (dict(type='HFImageBackbone', hf_model='x'), 'model.hf_model would read another file'),
        (dict(type='FrozenTeacher', model=STUDENT, checkpoint='x'), 'model.checkpoint would'),
        (dict(type='FeatureBank', teacher={}, data=[], path='x'), 'model.path would'),
        (with_net(variant='/etc/x'), "backbone.variant is '/etc/x'; a text may be a plain word"),
        (dict(STUDENT, type=nn.Linear), 'model.type is .* not a registered model'),
        (dict(STUDENT, type='Kaiming'), 'not a registered model'),
        (with_net(local_channels=(8, print)), r'local_channels\[1\] is a builtin_function'),
        (with_net(local_channels=torch.ones(2)), 'local_channels is a Tensor'),
        (with_net(chanels=3), "PointNet has no argument 'chanels'"),
        (with_net(local_channels=(10**7,), global_channels=(10**7,)), 'needs more than 16,777,224'),
        (with_net(tnet=[0] * 10_001), 'more than 10,000 values'),
        ([1], 'cfg should be a dict'),
        (None, 'cfg should be a dict'),
    ],
)
def test_other_descriptions_are_refused(cfg, words):
    with pytest.raises(CheckpointError, match=words):
        build_stored_model(cfg, WEIGHTS, 'file.pth')


def test_a_description_that_contains_itself_is_refused():
    loop = dict(STUDENT)
    loop['head'] = [loop, loop]
    with pytest.raises(CheckpointError, match='more than 10,000 values'):
        build_stored_model(loop, WEIGHTS, 'file.pth')


def test_what_is_described_is_built():
    model = MODELS.build(STUDENT)
    cfg = with_net(init_cfg=dict(type='Pretrained', checkpoint='x.pth'))
    cfg['type'] = MODELS.get('PointClassifier')
    described = describe_model(cfg)
    assert described == STUDENT
    again = build_stored_model(described, model.state_dict(), 'file.pth')
    again.load_state_dict(model.state_dict(), strict=True)


def test_what_plain_values_cannot_tell_is_not_described():
    class Own(nn.Module):
        pass

    with pytest.raises(ValueError, match='backbone.module would read another file or import a mod'):
        describe_model(wrapping(module='torch.nn:Identity'))
    with pytest.raises(ValueError, match='Own.*, which is not a registered model'):
        describe_model(dict(STUDENT, backbone=dict(type=Own)))
    BACKBONES.register_module(module=Own)
    try:
        assert describe_model(dict(STUDENT, backbone=dict(type=Own)))['backbone'] == {'type': 'Own'}
    finally:
        for registry in (BACKBONES, MODELS):
            registry.module_dict.pop('Own')
    with pytest.raises(CheckpointError, match="'Own', which is not a registered model"):
        build_stored_model(dict(type='Own'), WEIGHTS, 'file.pth')


def test_transforms_are_described_by_registered_names_and_plain_values():
    described = describe_transforms([dict(type=UnitSphere), dict(type='FirstPoints', num_points=4)])
    assert described == [dict(type='UnitSphere'), dict(type='FirstPoints', num_points=4)]
    assert check_stored_transforms(described, 'x') == described
    with pytest.raises(ValueError, match='not a registered transform'):
        describe_transforms([dict(type='PointNet')])
    for steps in ([dict(type='os.system')], dict(type='UnitSphere'), [dict(num_points=3)], ['a']):
        with pytest.raises(CheckpointError, match='x: .*preprocessing'):
            check_stored_transforms(steps, 'x')
