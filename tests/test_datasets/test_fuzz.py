import importlib.util
import sys
import zlib
from pathlib import Path

import pytest

# the whole of it takes minutes, and is not collected: see CONTRIBUTING.md
SPEC = importlib.util.spec_from_file_location(
    'pcdet_kd_fuzz', Path(__file__).parents[1] / 'soak' / 'fuzz.py'
)
FUZZ = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = FUZZ
SPEC.loader.exec_module(FUZZ)


@pytest.mark.parametrize('name', FUZZ.CASES)
def test_broken_files_are_named(name, tmp_path):
    seed = zlib.crc32(name.encode())
    count = 100 if '.' not in name and name.islower() else 10  # single files are read fast
    _, findings = FUZZ.run_case(name, tmp_path / 'root', count, seed)
    assert not findings, '\n'.join(findings)


def test_whole_files_are_data(tmp_path):
    for number, case in enumerate(FUZZ.CASES.values()):
        root = tmp_path / str(number)
        root.mkdir()
        case.write(root)
        assert case.read(root) is not None
