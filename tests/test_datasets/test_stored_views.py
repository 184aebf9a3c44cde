import json
import multiprocessing
import os
import zlib

import cv2
import numpy as np
import pytest

from pcdet_kd.datasets import stored_views
from pcdet_kd.datasets.stored_views import StoredViews
from pcdet_kd.utils.errors import DataError
from pcdet_kd.views import MeshRenderer, ViewCache

NAMES = ['bed/train/bed_0001', 'chair/test/chair_0002']


def pictures(seed, shape=(3, 8, 8)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(root, name, images):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    for view, image in enumerate(images, 1):
        assert cv2.imwrite(str(root / f'{name}_{view:03d}.png'), image)


@pytest.fixture
def root(tmp_path):
    for seed, name in enumerate(NAMES):
        write(tmp_path / 'views', name, pictures(seed))
    return tmp_path / 'views'


def views_of(root, num_views=3, image_size=8, **kwargs):
    return StoredViews(root, num_views, image_size, **kwargs)


def test_pictures_in_order(root):
    for seed, name in enumerate(NAMES):
        images = views_of(root).load(name)
        assert images.dtype == np.uint8
        np.testing.assert_array_equal(images[:, 0], pictures(seed))
    np.testing.assert_array_equal(views_of(root, num_views=2).load(NAMES[0])[:, 0], pictures(0)[:2])


def test_grey_pictures_stored_in_colour_are_the_same(root):
    write(root, 'c', np.repeat(pictures(0)[..., None], 3, axis=-1))
    np.testing.assert_array_equal(views_of(root).load('c'), views_of(root).load(NAMES[0]))
    np.testing.assert_array_equal(
        views_of(root, color=True).load(NAMES[0]), np.repeat(pictures(0)[:, None], 3, axis=1)
    )


def test_colours(root):
    bgr = pictures(0, (3, 8, 8, 3))
    write(root, 'c', bgr)
    np.testing.assert_array_equal(
        views_of(root, color=True).load('c'), bgr[..., ::-1].transpose(0, 3, 1, 2)
    )
    with pytest.raises(
        DataError,
        match='found:    a coloured image\n  expected: a grey image\n  fix:      pass color=True',
    ):
        views_of(root).load('c')


def test_larger_pictures_are_averaged(root):
    found = views_of(root, image_size=4).load(NAMES[0])[:, 0]
    expected = pictures(0).reshape(3, 4, 2, 4, 2).astype(float).mean(axis=(2, 4))
    assert found.shape == (3, 4, 4)
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_what_render_views_writes(tmp_path):
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
    (tmp_path / 'mesh').write_text('x')
    cache = ViewCache(tmp_path / 'views', MeshRenderer('orthogonal', 16))
    cache.fill({'a/train/a_1': tmp_path / 'mesh'}, lambda path: (corners, faces))
    np.testing.assert_array_equal(
        views_of(tmp_path / 'views', 6, 16).load('a/train/a_1')[:, 0],
        (cache.renderer(corners, faces)[:, 0] * 255).round().byte().numpy(),
    )


# the header of an image of 65,536 by 65,536 pixels
START = b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR'
HUGE = START + np.array([2**16] * 2, '>u4').tobytes()
_HEADER = START[12:] + np.array([8] * 2, '>u4').tobytes() + bytes([8, 0, 0, 0, 0])
SMALL = START[:12] + _HEADER + zlib.crc32(_HEADER).to_bytes(4, 'big')
CHUNK = SMALL + b'\xff\xff\xff\xffIDAT'  # OpenCV allocates what a chunk claims
LARGE = START + np.array([8000] * 2, '>u4').tobytes()  # half a gigabyte, seconds to decode


@pytest.mark.parametrize(
    ('content', 'found'),
    [
        (None, 'no such file; 2 of 3 images exist'),
        (b'', 'an empty file'),
        (b'<html>', 'an HTML page'),
        (b'\xff\xd8 a JPEG image', 'not a PNG image'),
        (SMALL[:-1] + b'\0', 'a damaged PNG image'),
        (CHUNK, 'a chunk of 4294967295 bytes in a file of'),
        (LARGE, '24 bytes cannot hold 8000 by 8000 pixels'),
        (HUGE, 'an image of 34,359,738,368 bytes in a file of 24'),
        (pictures(0, (7, 7)), 'an image of 7 by 7 pixels'),
        (pictures(0, (8, 9)), 'an image of 9 by 8 pixels'),
    ],
)
def test_faults_name_the_file(root, content, found):
    path = root / f'{NAMES[0]}_002.png'
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        cv2.imwrite(str(path), content)
    with pytest.raises(DataError) as info:
        views_of(root).load(NAMES[0])
    assert (
        info.value.args[0] == path
        and found in info.value.args[1]
        and ('render' in info.value.args[3]) == (content is not HUGE)
    )
    assert views_of(root).load(NAMES[1]).shape == (3, 1, 8, 8)


def test_a_cut_picture_is_an_error(root, capfd):
    path = root / f'{NAMES[0]}_002.png'
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match='a damaged PNG image|a chunk of'):
        views_of(root).load(NAMES[0])


def test_missing_says_how_to_get_them(root, tmp_path):
    with pytest.raises(
        DataError,
        match=r'bed_0009_001.png\n  found:    no such file\n  expected: 3 images .*_003.png\n'
        rf'  fix:      render them: pcdet-kd render-views <folder of meshes> {root}',
    ):
        views_of(root).load('bed/train/bed_0009')
    with pytest.raises(DataError, match='there is no folder'):
        views_of(tmp_path / 'no').load(NAMES[0])


def test_cache_is_read_instead_of_the_pictures(root, tmp_path, monkeypatch):
    stored = views_of(root, cache_dir=tmp_path / 'cache')
    first = stored.load(NAMES[0])
    np.testing.assert_array_equal(first, views_of(root).load(NAMES[0]))
    monkeypatch.setattr(StoredViews, '_decode', None)
    again = views_of(root, cache_dir=tmp_path / 'cache').load(NAMES[0])
    np.testing.assert_array_equal(again, first)
    again += 1  # its own memory
    np.testing.assert_array_equal(stored.load(NAMES[0]), first)
    (file,) = (p for p in (tmp_path / 'cache').rglob('*') if p.is_file())
    assert file.stat().st_size < first.nbytes + 200


def test_settings_have_files_of_their_own(root, tmp_path):
    for kwargs in (dict(), dict(image_size=4), dict(num_views=2), dict(color=True)):
        plain = views_of(root, **kwargs).load(NAMES[0])
        for _ in range(2):
            np.testing.assert_array_equal(
                views_of(root, cache_dir=tmp_path / 'cache', **kwargs).load(NAMES[0]), plain
            )
    assert len(list((tmp_path / 'cache').rglob('*.npy'))) == 4


def test_changed_pictures_are_decoded_again_and_replace_the_old_ones(root, tmp_path):
    stored = views_of(root, cache_dir=tmp_path / 'cache')
    others = [NAMES[0] + '.x', NAMES[0] + '0', 'bed/train/bed_0002']
    for name in (NAMES[0], *others):
        write(root, name, pictures(3))
        stored.load(name)
    write(root, NAMES[0], pictures(5))
    os.utime(root / f'{NAMES[0]}_003.png', ns=(1, 1))
    np.testing.assert_array_equal(stored.load(NAMES[0])[:, 0], pictures(5))
    assert len(list((tmp_path / 'cache').rglob('*.npy'))) == 4


@pytest.mark.parametrize(
    'damage',
    [
        lambda d: b'',
        lambda d: d[:-1],
        lambda d: b'x' + d[1:],
        lambda d: d.replace(b'|u1', b'|i1'),
        lambda d: d.replace(b'(3, 1,', b'(1, 3,'),
    ],
)
def test_a_damaged_file_of_the_cache_is_made_again(root, tmp_path, damage, caplog):
    stored = views_of(root, cache_dir=tmp_path / 'cache')
    first = stored.load(NAMES[0])
    (file,) = (tmp_path / 'cache').rglob('*.npy')
    good = file.read_bytes()
    assert damage(good) != good
    file.write_bytes(damage(good))
    np.testing.assert_array_equal(stored.load(NAMES[0]), first)
    assert file.read_bytes() == good


def test_a_cache_that_cannot_be_written(root, tmp_path):
    (tmp_path / 'cache').write_text('')
    with pytest.raises(DataError, match='pass cache_dir='):
        views_of(root, cache_dir=tmp_path / 'cache').load(NAMES[0])


@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
def test_processes_share_the_cache(root, tmp_path):
    stored = views_of(root, cache_dir=tmp_path / 'cache')
    with multiprocessing.get_context('fork').Pool(2) as pool:
        for images in pool.map(stored.load, [NAMES[0]] * 8, chunksize=1):
            np.testing.assert_array_equal(images[:, 0], pictures(0))
    assert [p.suffix for p in (tmp_path / 'cache').rglob('*') if p.is_file()] == ['.npy']


def record(root, meshes, **settings):
    header = dict(version=1, settings=dict(image_size=8, **settings))
    lines = [header, *(dict(name=name, mesh=digest) for name, digest in meshes.items())]
    (root / 'views.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))


def test_fingerprint_of_recorded_pictures_needs_the_record_only(root):
    record(root, dict.fromkeys(NAMES, 'abc'))
    first = views_of(root).fingerprint(NAMES)
    for path in root.rglob('*.png'):
        path.unlink()
    assert views_of(root).fingerprint(NAMES) == first
    assert (
        len(
            {
                first,
                views_of(root).fingerprint(NAMES[:1]),
                views_of(root).fingerprint(NAMES[::-1]),
                views_of(root, num_views=2).fingerprint(NAMES),
                views_of(root, color=True).fingerprint(NAMES),
            }
        )
        == 5
    )
    record(root, {NAMES[0]: 'abc', NAMES[1]: 'abd'})
    assert views_of(root).fingerprint(NAMES) != first
    record(root, dict.fromkeys(NAMES, 'abc'), distance=2)
    assert views_of(root).fingerprint(NAMES) != first


def test_fingerprint_of_other_pictures_is_their_sizes(root):
    first = views_of(root).fingerprint(NAMES)
    for path in root.rglob('*.png'):
        os.utime(path, ns=(5, 5))
    assert views_of(root).fingerprint(NAMES) == first  # a copy on another machine
    write(root, NAMES[1], pictures(1) // 99)
    assert views_of(root).fingerprint(NAMES) != first
    (root / f'{NAMES[1]}_002.png').unlink()
    with pytest.raises(DataError, match='chair_0002_002.png\n  found:    no such file; 2 of 3'):
        views_of(root).fingerprint(NAMES)


def test_recorded_pictures_are_cached_by_their_mesh(root, tmp_path):
    record(root, {NAMES[0]: 'abc'})
    first = views_of(root, cache_dir=tmp_path / 'cache').load(NAMES[0])
    for path in root.rglob('*.png'):
        path.unlink()
    np.testing.assert_array_equal(
        views_of(root, cache_dir=tmp_path / 'cache').load(NAMES[0]), first
    )
    record(root, {NAMES[0]: 'abd'})
    with pytest.raises(DataError, match='no such file'):
        views_of(root, cache_dir=tmp_path / 'cache').load(NAMES[0])


def test_decoding_has_a_version(root, tmp_path, monkeypatch):
    first = views_of(root).fingerprint(NAMES)
    views_of(root, cache_dir=tmp_path / 'cache').load(NAMES[0])
    monkeypatch.setattr(stored_views, 'VERSION', 2)
    assert views_of(root).fingerprint(NAMES) != first
    monkeypatch.setattr(StoredViews, '_decode', lambda self, name: np.zeros(self.shape, np.uint8))
    assert not views_of(root, cache_dir=tmp_path / 'cache').load(NAMES[0]).any()


def test_wrong_arguments():
    with pytest.raises(ValueError, match='num_views is 0'):
        StoredViews('x', 0)
    with pytest.raises(ValueError, match='image_size is 0'):
        StoredViews('x', 1, 0)
