import cv2
import numpy as np
import pytest

trimesh = pytest.importorskip('trimesh')
pytestmark = pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')


def write_off(path, mesh):
    """An OFF file with the counts glued to the keyword, as some of ModelNet40's are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    vertices = '\n'.join(' '.join(map(str, v)) for v in mesh.vertices)
    faces = '\n'.join('3 ' + ' '.join(map(str, f)) for f in mesh.faces)
    path.write_text(f'OFF{len(mesh.vertices)} {len(mesh.faces)} 0\n{vertices}\n{faces}\n')


@pytest.fixture
def meshes(tmp_path):
    root = tmp_path / 'ModelNet40'
    for split in ('train', 'test'):
        write_off(root / f'chair/{split}/chair_0001.off', trimesh.creation.box((1, 2, 3)))
        write_off(root / f'vase/{split}/vase_0001.off', trimesh.creation.cylinder(20, 90))
    return root


def test_modelnet40_becomes_the_layout_of_the_published_images(command, meshes, tmp_path):
    out = tmp_path / 'ModelNet40_mv_20view'
    code, text, _ = command('render_views', meshes, out, '--workers', 2, '--image-size', 32)
    assert code == 0 and '20 views each of 4 meshes rendered, 0 there already, 0 failed' in text
    names = sorted(p.relative_to(out).as_posix() for p in out.rglob('*.png'))
    assert names == sorted(
        f'{kind}/{split}/{kind}_0001_{view:03d}.png'
        for kind in ('chair', 'vase')
        for split in ('train', 'test')
        for view in range(1, 21)
    )
    image = cv2.imread(str(out / names[0]))
    assert (
        image.shape == (32, 32, 3) and image[0, 0].tolist() == [255] * 3 and image[16, 16, 0] < 240
    )
    sheet = ('--sheet', tmp_path / 'sheet.png', '--sheet-num', 3)
    code, text, _ = command('render_views', meshes, out, '--workers', 1, '--image-size', 32, *sheet)
    drawn = cv2.imread(str(tmp_path / 'sheet.png'))
    assert f'sheet: {tmp_path / "sheet.png"}' in text and drawn.shape[0] < drawn.shape[1]
    assert code == 0 and '0 meshes rendered, 4 there already' in text
    code, _, error = command('render_views', meshes, out, '--workers', 1, '--image-size', 48)
    assert code == 1 and 'image_size=48' in error


def test_other_formats_and_options(command, tmp_path):
    box = trimesh.creation.box((1, 2, 3))
    for ending in ('obj', 'ply', 'stl'):
        box.export(tmp_path / f'{ending}.{ending}')
    write_off(tmp_path / 'off.OFF', box)
    out = tmp_path / 'out'
    code, text, _ = command(
        'render_views',
        tmp_path,
        out,
        '--rig',
        'orthogonal',
        '--image-size',
        24,
        '--up-axis',
        'y',
        '--samples',
        1,
        '--framing',
        'sphere',
        '--distance',
        5,
        '--workers',
        1,
    )
    assert code == 0 and '6 views each of 4 meshes' in text
    pictures = [
        np.stack([cv2.imread(str(out / f'{ending}_{v:03d}.png')) for v in range(1, 7)])
        for ending in ('off', 'obj', 'ply', 'stl')
    ]
    for other in pictures[1:]:
        assert (np.abs(pictures[0].astype(int) - other).max(-1) > 3).mean() < 0.01


def test_files_that_fail_are_named_and_the_rest_is_rendered(command, meshes, tmp_path):
    (meshes / 'chair/train/chair_0002.off').write_text('OFF\n3 1 0\n0 0 0\n1 0 0\n')
    (meshes / 'chair/train/chair_0003.off').write_text('OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n')
    code, text, error = command(
        'render_views', meshes, tmp_path / 'out', '--workers', 1, '--image-size', 16
    )
    assert code == 1 and '4 meshes rendered, 0 there already, 2 failed' in text
    assert (
        error.count('error: ') == 2
        and 'chair_0002.off' in error
        and 'chair_0003.off\n  the mesh has no faces' in error
    )


def test_folders_without_meshes(command, tmp_path):
    code, _, error = command('render_views', tmp_path / 'none', tmp_path / 'out')
    assert code == 1 and 'no such folder' in error
    (tmp_path / 'empty').mkdir()
    code, _, error = command('render_views', tmp_path / 'empty', tmp_path / 'out')
    assert code == 1 and 'no mesh' in error and '.off' in error
    for ending in ('off', 'obj'):
        (tmp_path / f'empty/a.{ending}').write_text('')
    code, _, error = command('render_views', tmp_path / 'empty', tmp_path / 'out')
    assert code == 1 and 'same names' in error and not (tmp_path / 'out').exists()
