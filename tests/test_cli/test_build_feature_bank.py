def test_it_fills_the_bank_that_the_config_looks_up(tiny_configs, command):
    leaf = tiny_configs / 'tiny_generator.py'
    code, out, err = command(
        'train', tiny_configs / 'tiny_teacher.py', '--cfg-options', 'max_epochs=1'
    )
    assert code == 0, err
    code, out, err = command('build_feature_bank', leaf)
    assert code == 0 and (tiny_configs.parent / out.strip()).is_file()
    code, out, err = command('build_feature_bank', tiny_configs / 'tiny_teacher.py')
    assert code == 1 and 'no FeatureBank' in err
