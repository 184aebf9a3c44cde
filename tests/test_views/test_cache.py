import os
import signal

import cv2
import numpy as np
import pytest

from pcdet_kd.utils.errors import DataError
from pcdet_kd.views.cache import RECORD, ViewCache
from pcdet_kd.views.mesh_renderer import MeshRenderer

FACES = [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
pytestmark = pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')


def read(path):
    """Read a tetrahedron of 12 numbers; a process that reads 'kill' ends at once."""
    text = path.read_text()
    if text == 'kill':
        os.kill(os.getpid(), signal.SIGKILL)
    if text == 'bad':
        raise DataError(path, 'bad', 'good', 'better')
    return np.array(text.split(), dtype=float).reshape(4, 3), np.array(FACES)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    files = {
        f'{kind}/train/{kind}_{i}': tmp_path / 'meshes' / f'{kind}_{i}.txt'
        for kind in ('a', 'b')
        for i in range(3)
    }
    (tmp_path / 'meshes').mkdir()
    for path in files.values():
        path.write_text(' '.join(map(str, rng.normal(size=12))))
    return files


def load(cache, name):
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in cache.paths(name)]
    return np.stack(images)


def cache_of(tmp_path, **settings):
    return ViewCache(
        tmp_path / 'views', MeshRenderer(**{'rig': 'orthogonal', 'image_size': 16, **settings})
    )


@pytest.mark.parametrize('workers', [1, 2])
def test_pictures_are_those_of_the_renderer(tmp_path, files, workers):
    cache = cache_of(tmp_path)
    filled = cache.fill(files, read, workers)
    assert filled.rendered == sorted(files) and not filled.kept and not filled.failed
    assert (
        len(list((tmp_path / 'views').rglob('*.png'))) == 36
        and (tmp_path / 'views/a/train/a_0_006.png').is_file()
    )
    assert not list((tmp_path / 'views').rglob('*.tmp'))
    for name, path in files.items():
        expected = (cache.renderer(*read(path))[:, 0] * 255).round().byte().numpy()
        np.testing.assert_array_equal(load(cache, name), expected)
    assert len(np.unique(load(cache, 'a/train/a_0'))) > 3


def test_a_second_call_renders_what_is_missing_or_has_changed(tmp_path, files):
    cache = cache_of(tmp_path)
    cache.fill({name: files[name] for name in list(files)[:4]}, read)
    names = list(files)
    before = load(cache, names[1])
    cache.paths(names[0])[3].unlink()
    files[names[1]].write_text(files[names[2]].read_text())
    again = cache_of(tmp_path).fill(files, read)
    assert again.rendered == sorted([names[0], names[1], *names[4:]]) and again.kept == sorted(
        names[2:4]
    )
    assert (load(cache, names[1]) != before).any()
    np.testing.assert_array_equal(load(cache, names[1]), load(cache, names[2]))
    assert cache_of(tmp_path).fill(files, read).kept == sorted(files)


def test_a_bad_mesh_does_not_stop_the_others(tmp_path, files):
    names = list(files)
    files[names[0]].write_text('bad')
    files[names[1]].write_text('1 1 1 ' * 4)
    files[names[2]].unlink()
    for workers in (1, 2):
        filled = cache_of(tmp_path).fill(files, read, workers)
        assert (
            list(filled.failed) == sorted(names[:3])
            and len(filled.rendered) + len(filled.kept) == 3
        )
        assert (
            'expected: good' in filled.failed[names[0]]
            and str(files[names[0]]) in filled.failed[names[0]]
        )
        assert (
            'no extent' in filled.failed[names[1]]
            and str(files[names[1]]) in filled.failed[names[1]]
        )
        assert 'No such file' in filled.failed[names[2]]
    assert not cache_of(tmp_path).paths(names[1])[0].exists()


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
def test_a_killed_worker_is_a_message_and_the_next_call_goes_on(tmp_path, files):
    last = list(files)[-1]
    good = files[last].read_text()
    files[last].write_text('kill')
    with pytest.raises(DataError, match='fewer workers'):
        cache_of(tmp_path).fill(files, read, 2)
    files[last].write_text(good)
    filled = cache_of(tmp_path).fill(files, read, 2)
    assert last in filled.rendered and sorted(filled.rendered + filled.kept) == sorted(files)


def test_a_line_that_was_cut_off(tmp_path, files):
    cache = cache_of(tmp_path)
    cache.fill(files, read)
    path = tmp_path / 'views' / RECORD
    path.write_text(path.read_text()[:-20])
    assert len(cache.record()) == 5
    again = cache_of(tmp_path).fill(files, read)
    assert len(again.rendered) == 1 and len(again.kept) == 5
    assert cache_of(tmp_path).record().keys() == files.keys()


def test_an_interrupted_write_leaves_no_picture(tmp_path, files, monkeypatch):
    import cv2

    cache = cache_of(tmp_path)
    encode, calls = cv2.imencode, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(*args)

    monkeypatch.setattr(cv2, 'imencode', interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.fill(files, read)
    assert len(list((tmp_path / 'views').rglob('*.png'))) == 2 and not list(
        (tmp_path / 'views').rglob('*.tmp')
    )
    monkeypatch.undo()
    assert cache.fill(files, read).rendered == sorted(files)


def test_other_settings_or_pictures_of_others_are_an_error(tmp_path, files):
    cache_of(tmp_path).fill(files, read)
    with pytest.raises(DataError, match=r'samples=2(.|\n)*samples=1(.|\n)*another folder'):
        cache_of(tmp_path, samples=1).fill(files, read)
    path = tmp_path / 'views' / RECORD
    for header in (
        '{}',
        '',
        'x',
        '{"settings": {}}',
        '{"settings": [], "version": 1}',
        '{"settings": {"a": []}, "version": 1}',
    ):
        path.write_text(header + '\n')
        with pytest.raises(DataError, match='not a header'):
            cache_of(tmp_path).fill(files, read)
    path.unlink()
    with pytest.raises(DataError, match=f'but no {RECORD}'):
        cache_of(tmp_path).fill(files, read)
