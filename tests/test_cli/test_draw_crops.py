def test_it_writes_a_picture(command, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    config = 'asymdsd_pretrain_tiny_syntheticscans'  # by its name
    options = ('--cfg-options', 'num_train=15', 'num_points=512')
    code, out, err = command(
        'draw_crops', config, '--sample', 14, '--out', tmp_path / 'a.png', *options
    )
    assert code == 0, err
    assert out.strip() == str(tmp_path / 'a.png') and (tmp_path / 'a.png').stat().st_size > 10_000
    code, _, err = command('draw_crops', config, '--sample', 15, *options)
    assert code == 2 and '--sample is 15, expected 0 to 14' in err


def test_other_models_are_named(command):
    code, _, err = command('draw_crops', 'pcdet_kd::pointcmt/pointnet_syntheticscans.py')
    assert code == 1 and 'model.type: PointCMT, expected AsymDSD' in err
