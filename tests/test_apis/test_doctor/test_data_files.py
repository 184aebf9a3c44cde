import hashlib
from dataclasses import replace

import h5py
import numpy as np
import pytest

from pcdet_kd.apis.doctor.data_files import check_file, check_files
from pcdet_kd.apis.doctor.layouts import published_in
from pcdet_kd.apis.doctor.report import Report
from pcdet_kd.datasets.manifest import verify
from pcdet_kd.utils.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """A tiny ModelNet40 in h5 files."""
    for split in ('train', 'test'):
        with h5py.File(tmp_path / f'ply_data_{split}0.h5', 'w') as file:
            file['data'] = np.random.default_rng(0).normal(size=(4, 16, 3)).astype('f4')
            file['label'] = np.arange(4, dtype='u1')[:, None]
        (tmp_path / f'{split}_files.txt').write_text(f'x/ply_data_{split}0.h5\n')
    return tmp_path


def check(folder, **known):
    place, report = published_in(folder), Report('')
    place = replace(place, published=replace(place.published, md5=known))
    return check_files(place, report), report


def test_whole_files(folder):
    good = {f.name: hashlib.md5(f.read_bytes()).hexdigest() for f in folder.glob('*.h5')}
    facts, report = check(folder, **good)
    assert not report.findings and facts['files'] == '4 of 4'
    assert facts['size_bytes'] == sum(f.stat().st_size for f in folder.iterdir())
    assert facts['published_hashes'] == '2 of 2 files agree'
    facts, report = check(folder, **{'ply_data_train0.h5': '0' * 32, 'other.h5': '0' * 32})
    assert facts['published_hashes'] == '0 of 2 files agree' and not report.is_broken
    assert report.findings[0].text.startswith('not the published files: ply_data_train0.h5')
    assert 'published_hashes' not in check(folder)[0]


def test_missing_and_truncated_files_are_all_told(folder):
    (folder / 'ply_data_test0.h5').unlink()
    train = folder / 'ply_data_train0.h5'
    train.write_bytes(train.read_bytes()[:-100])
    facts, report = check(folder)
    missing, broken = report.findings
    assert facts['files'] == '3 of 4' and report.is_broken
    assert '1 of 4 files are missing: ply_data_test0.h5' in missing.text
    report = Report('')
    check_files(published_in(folder), report)
    assert report.findings[0].fix.endswith('pcdet-kd download modelnet40')
    assert broken.about == str(train) and 'truncated' in broken.text
    (folder / 'test_files.txt').unlink()
    facts, report = check(folder)
    assert facts == {} and 'test_files.txt' in report.findings[0].about


def test_the_hashes_in_the_folder(folder):
    verify(folder)
    facts, report = check(folder)
    assert not report.findings and facts['SHA256SUMS'] == '4 of 4 files agree'
    (folder / 'ply_data_test0.h5').unlink()
    text = (folder / 'test_files.txt').read_text()
    (folder / 'test_files.txt').write_text(text + '\n')
    facts, report = check(folder)
    told = {finding.about.rpartition('/')[2]: finding for finding in report.findings}
    assert facts['SHA256SUMS'] == '2 of 4 files agree'
    assert 'SHA256SUMS names it' in told['ply_data_test0.h5'].text
    assert told['test_files.txt'].text.startswith('changed')
    (folder / 'SHA256SUMS').write_text('nonsense')
    facts, report = check(folder)
    assert facts['SHA256SUMS'] == 'cannot be read' and report.is_broken


def test_single_files(tmp_path):
    array = tmp_path / 'a.npy'
    np.save(array, np.zeros((100, 3)))
    check_file(array)
    array.write_bytes(array.read_bytes()[:-1])
    page = tmp_path / 'b.txt'
    page.write_text('<!doctype html><html>')
    (tmp_path / 'c.txt').write_text('')
    for file, told in ((array, 'NumPy'), (page, 'HTML'), (tmp_path / 'c.txt', 'empty')):
        with pytest.raises(DataError, match=told):
            check_file(file)
