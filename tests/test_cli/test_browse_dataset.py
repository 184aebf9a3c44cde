from pathlib import Path

CONFIG = Path(__file__).parents[2] / 'configs/asymdsd/pretrain_tiny_syntheticscans.py'


def test_it_writes_a_page_and_a_picture(command, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    options = ('--cfg-options', 'num_train=15', 'num_points=512')
    page = tmp_path / 'a.html'
    code, out, err = command('browse_dataset', CONFIG, '--num', 2, '--out', page, *options)
    assert code == 0, err
    html = page.read_text()
    assert out.strip() == str(page) and 'global_crops 2' in html and 'no. 14' in html
    picture = tmp_path / 'a.png'
    code, _, err = command('browse_dataset', CONFIG, '--num', 1, '--out', picture, *options)
    assert code == 0 and picture.stat().st_size > 10_000, err
