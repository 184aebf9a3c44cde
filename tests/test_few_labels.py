"""Few labels from the command to the result, in two processes."""

import json
from pathlib import Path

import pytest

from pcdet_kd.utils.checkpoint import load_checkpoint_file

ROOT = Path(__file__).parents[1]
SMALL = 'num_train=45 num_test=15 num_points=64 student_points=32 image_size=32 batch_size=4'


@pytest.mark.xdist_group('two_processes')
def test_two_processes_train_with_few_labels(two_processes, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.chdir(tmp_path)
    first, second = two_processes(
        tmp_path,
        ROOT / 'tools/train.py',
        ROOT / 'configs/few_labels/jgekd_syntheticscans.py',
        *('--with-baseline', '--launcher', 'pytorch', '--work-dir', 'out', '--cfg-options'),
        *(*SMALL.split(), 'labels=15', 'labelled_share=0.25', 'max_epochs=1'),
    )
    assert 'jgekd_syntheticscans_baseline' in first and 'McNemar' in first
    assert 'McNemar' not in second
    for folder in ('out', 'out/stages/jgekd_syntheticscans_baseline'):
        record = json.loads((tmp_path / folder / 'stage.json').read_text())
        assert record['finished'] and record['test_samples'] == 15
    log = next((tmp_path / 'out').rglob('*.log')).read_text()
    assert '[1][6/6]' not in log  # 40 clouds, two processes, batches of 4: five steps
    state = load_checkpoint_file(tmp_path / 'out/last.pth')['state_dict']
    assert all(key.startswith('student.') for key in state)
