def test_it_shows_what_is_inherited_and_changed(tiny_configs, command):
    code, out, err = command(
        'print_config', tiny_configs / 'tiny_pointcmt.py', '--cfg-options', 'num=12'
    )
    assert code == 0 and "type='PointCMT'" in out and 'num=12' in out and 'LocalVisBackend' in out
