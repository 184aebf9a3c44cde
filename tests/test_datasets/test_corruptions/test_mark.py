import json

import pytest

from pcdet_kd.datasets.corruptions.mark import Mark
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import file_sha256


def content(folder):
    return json.loads((folder / 'generated.json').read_text())


def test_every_file_is_entered_before_it_appears(tmp_path):
    folder = tmp_path / 'new'
    mark = Mark(folder, dict(seed=1, suite='modelnet-c'))
    assert mark.claim(['clean.h5']) == set()
    assert (
        content(folder)['files'] == {}
        and content(folder)['seed'] == 1
        and 'pcdet_kd' in content(folder)['generator']
    )
    mark.write('clean.h5', lambda file: file.write(b'abc'))
    assert content(folder)['files'] == {'clean.h5': file_sha256(folder / 'clean.h5')}

    def killed(file):
        file.write(b'half')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mark.write('scale_0.h5', killed)
    assert sorted(p.name for p in folder.iterdir()) == ['clean.h5', 'generated.json']
    again = Mark(folder, dict(seed=1, suite='modelnet-c'))
    assert again.claim(['clean.h5', 'scale_0.h5']) == {'clean.h5'}
    again.write('scale_0.h5', lambda file: file.write(b'whole'))
    assert set(content(folder)['files']) == {'clean.h5', 'scale_0.h5'}


def test_stopped_between_the_entry_and_the_name(tmp_path):
    mark = Mark(tmp_path, {})
    mark.claim([])
    mark.write('clean.h5', lambda file: file.write(b'abc'))
    (tmp_path / 'clean.h5').unlink()
    assert Mark(tmp_path, {}).claim(['clean.h5']) == set()


@pytest.mark.parametrize('name', ['clean.h5', 'jitter_3.h5', 'label.npy', 'data_lidar_2.npy'])
def test_published_files_are_not_touched(tmp_path, name):
    (tmp_path / name).write_bytes(b'official')
    with pytest.raises(DataError, match=r'and no generated\.json that says[\s\S]*not overwritten'):
        Mark(tmp_path, {}).claim(['clean.h5'])
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_files_of_others_among_generated_ones(tmp_path):
    mark = Mark(tmp_path, {})
    mark.claim([])
    (tmp_path / 'clean.h5').write_bytes(b'official')
    with pytest.raises(DataError, match=r'a file that generated\.json does not name'):
        Mark(tmp_path, {}).claim(['clean.h5'])
    (tmp_path / 'clean.h5').unlink()
    mark.write('clean.h5', lambda file: file.write(b'abc'))
    (tmp_path / 'clean.h5').write_bytes(b'ab')
    with pytest.raises(DataError, match='a file that was changed'):
        Mark(tmp_path, {}).claim(['clean.h5'])


def test_other_settings(tmp_path):
    Mark(tmp_path, dict(seed=1, version=1)).claim([])
    with pytest.raises(DataError, match='seed 1[\\s\\S]*2'):
        Mark(tmp_path, dict(seed=2, version=1)).claim([])
    with pytest.raises(DataError, match='version 1'):
        Mark(tmp_path, dict(seed=1, version=2)).claim([])
    (tmp_path / 'generated.json').write_text('{"seed": 1}')
    with pytest.raises(DataError, match='no mark of the generator'):
        Mark(tmp_path, dict(seed=1)).claim([])
