import mmengine.registry
import pytest
from mmengine.registry import DefaultScope
from mmengine.registry import Registry as RootRegistry

from pcdet_kd import registry
from pcdet_kd.registry import (
    BACKBONES,
    DISTILLERS,
    HEADS,
    LOSSES,
    METRICS,
    MODELS,
    TEACHERS,
    Kind,
    Registry,
    accepted_arguments,
    check_arguments,
    did_you_mean,
)

ROOTS = [
    name for name, value in vars(mmengine.registry.root).items() if isinstance(value, RootRegistry)
]


@pytest.fixture
def parts():
    """A toy kind under a toy registry with parts of two kinds, gone afterwards."""
    before = list(registry._KINDS)
    models = Registry(
        'toy model',
        scope='pcdet_kd',
        build_func=registry._checked(mmengine.registry.build_from_cfg, ()),
    )
    models._imported = True
    wheel, engine = Kind('wheel', models), Kind('engine', models)

    @wheel.register_module()
    class Round:
        def __init__(self, radius=1, width=1):
            self.radius = radius

    @engine.register_module()
    class Diesel:
        pass

    @models.register_module()
    class Neutral:
        pass

    yield models, wheel, engine
    registry._KINDS[:] = before


def test_every_root_has_a_child():
    assert len(ROOTS) == 23
    for name in ROOTS:
        child, parent = getattr(registry, name), getattr(mmengine.registry, name)
        assert isinstance(child, Registry) and child.parent is parent and child.scope == 'pcdet_kd'
        assert parent.children['pcdet_kd'] is child


@pytest.mark.parametrize('kind', [BACKBONES, HEADS, TEACHERS, DISTILLERS, LOSSES])
def test_parts_of_a_kind_are_models(kind):
    names = kind.names()
    assert names
    for name in names:
        assert MODELS.get(name) is kind.get(name)


def test_unknown_type_names_the_nearest(parts):
    models, wheel, _ = parts
    with pytest.raises(
        KeyError, match="'Ruond' is not a registered toy model. Did you mean 'Round'"
    ):
        models.build(dict(type='Ruond'))
    with pytest.raises(KeyError, match="'round' is not a registered wheel. Did you mean 'Round'"):
        wheel.build(dict(type='round'))
    with pytest.raises(KeyError, match="is not a registered metric. Did you mean 'PointAccuracy'"):
        METRICS.build(dict(type='PointAcuracy'))
    for kind in (models, wheel):
        with pytest.raises(
            KeyError, match="'Xylophone' is not a registered .* name its module in custom_imports"
        ):
            kind.build(dict(type='Xylophone'))


def test_misspelt_argument_names_the_right_ones(parts):
    models, wheel, _ = parts
    for kind in (models, wheel):
        with pytest.raises(
            TypeError,
            match="has no argument 'raduis'. Did you mean 'radius'. It takes: radius, width",
        ):
            kind.build(dict(type='Round', raduis=2))
    assert wheel.build(dict(type='Round', radius=2)).radius == 2
    with pytest.raises(
        TypeError, match="PointAccuracy has no argument 'out_dri'. Did you mean 'out_dir'"
    ):
        METRICS.build(dict(type='PointAccuracy', out_dri='x'))


def test_a_kind_refuses_another_kind_and_takes_plain_parts(parts):
    _, wheel, _ = parts
    with pytest.raises(KeyError, match="'Diesel' is a engine, not a wheel"):
        wheel.build(dict(type='Diesel'))
    assert type(wheel.build(dict(type='Neutral'))).__name__ == 'Neutral'


def test_a_name_is_taken_once(parts):
    _, wheel, _ = parts
    with pytest.raises(KeyError, match='Round is already registered'):
        wheel.register_module(name='Round', module=type('Other', (), {}))


def test_contains(parts):
    models, wheel, _ = parts
    assert 'Round' in models and 'Round' in wheel
    assert 'Square' not in models and 'Diesel' not in wheel


def test_parts_of_mmengine_are_found():
    assert registry.HOOKS.get('ParamSchedulerHook').__module__.startswith('mmengine')
    assert registry.OPTIMIZERS.get('AdamW').__name__ == 'AdamW'


def test_our_names_win_whatever_the_default_scope():
    with DefaultScope.overwrite_default_scope('mmengine'):
        assert type(METRICS.build(dict(type='PointAccuracy'))).__name__ == 'PointAccuracy'


@pytest.mark.parametrize(
    'name, known, expected',
    [
        ('pointmlp', ['PointMLP', 'PointNet'], " Did you mean 'PointMLP'"),
        ('zzz', ['PointMLP'], ''),
        ('a', [], ''),
    ],
)
def test_did_you_mean(name, known, expected):
    assert did_you_mean(name, known).startswith(expected) and bool(
        did_you_mean(name, known)
    ) == bool(expected)


class Base:
    def __init__(self, depth, *, width=1):
        pass


class PassesOn(Base):
    def __init__(self, extra=0, **kwargs):
        super().__init__(**kwargs)


class Inherits(PassesOn):
    pass


class Anything:
    def __init__(self, **kwargs):
        pass


def function(a, b=1):
    pass


@pytest.mark.parametrize(
    'obj, expected',
    [
        (Base, {'depth', 'width'}),
        (PassesOn, {'extra', 'depth', 'width'}),
        (Inherits, {'extra', 'depth', 'width'}),
        (function, {'a', 'b'}),
        (lambda **kwargs: None, None),
        (dict, None),
    ],
)
def test_accepted_arguments(obj, expected):
    assert accepted_arguments(obj) == expected


def test_open_ended_classes_are_not_checked():
    check_arguments(Anything, ['whatever'])
