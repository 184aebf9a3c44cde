import argparse

import pytest

from pcdet_kd.cli.options import add_config_options, add_launcher, parse_value


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('3', 3),
        ('1e-3', 1e-3),
        ('true', True),
        ('False', False),
        ('None', None),
        ('null', None),
        ('a b', 'a b'),
        ('data/x', 'data/x'),
        ('[1, 2]', [1, 2]),
        ('[dict(a=1)]', '[dict(a=1)]'),
        ("[{'a': 1}]", [{'a': 1}]),
        ('1,2', [1, 2]),
        ('a,b', ['a', 'b']),
        ('"1"', '1'),
        ('01', '01'),
        ('nan', 'nan'),
    ],
)
def test_values(text, value):
    assert parse_value(text) == value and type(parse_value(text)) is type(value)


def test_options_are_collected():
    parser = argparse.ArgumentParser()
    add_config_options(parser)
    add_launcher(parser)
    args = parser.parse_args(
        [
            '--cfg-options',
            'a.b=1',
            'c=x=y',
            '--cfg-options',
            'd=2',
            '--launcher',
            'pytorch',
            '--local-rank',
            '1',
        ]
    )
    assert (
        args.cfg_options == {'a.b': 1, 'c': 'x=y', 'd': 2}
        and args.launcher == 'pytorch'
        and args.local_rank == 1
    )
    assert parser.parse_args([]).cfg_options == {}
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', 'a'])
