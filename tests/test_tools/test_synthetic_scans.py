import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_converter_writes_what_scanobjectnn_reads(tmp_path):
    command = [
        sys.executable,
        'tools/dataset_converters/synthetic_scans.py',
        '--out',
        str(tmp_path / 'out'),
        '--variant',
        'OBJ_BG',
        '--num-train',
        '15',
        '--num-test',
        '3',
        '--num-points',
        '32',
        '--cache-dir',
        str(tmp_path / 'cache'),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith('test_objectdataset.h5: 3 clouds')
    from pcdet_kd.datasets import ScanObjectNN

    assert len(ScanObjectNN(str(tmp_path / 'out'), variant='OBJ_BG', split='train')) == 15
