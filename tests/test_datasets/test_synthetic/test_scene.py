import numpy as np

from pcdet_kd.datasets.class_names import SCANOBJECTNN
from pcdet_kd.datasets.synthetic.primitives import box
from pcdet_kd.datasets.synthetic.scan_simulator import BACKGROUND
from pcdet_kd.datasets.synthetic.scene import background, furnish
from pcdet_kd.datasets.synthetic.shapes import build_mesh


def scenes(name, count=40):
    for i in range(count):
        mesh = build_mesh(SCANOBJECTNN.index(name), np.random.default_rng([0, i]))
        yield mesh, *furnish(mesh, name, np.random.default_rng([1, i]))


def test_surroundings_are_background():
    assert (background(box('', (1, 1, 1))).face_parts == BACKGROUND).all()
    for _, around, _ in scenes('chair', 10):
        assert (around.face_parts == BACKGROUND).all() and np.isfinite(around.vertices).all()


def test_floor_is_below_the_object_and_wider():
    for mesh, around, _ in scenes('table', 20):
        floor = around.vertices[:8]
        assert floor[:, 1].max() <= 1e-9
        assert np.ptp(floor[:, 0]) > np.ptp(mesh.vertices[:, 0])


def test_doors_always_have_a_wall_behind_and_chairs_seldom():
    for mesh, around, wall in scenes('door'):
        assert wall
        slab = around.vertices[8:16]
        assert (
            slab[:, 2].max() <= mesh.vertices[:, 2].min() + 1e-9
            and slab[:, 1].max() > mesh.vertices[:, 1].max()
        )
    assert np.mean([wall for _, _, wall in scenes('chair')]) < 0.5


def test_clutter_differs_from_scene_to_scene():
    assert len({len(around.faces) for _, around, _ in scenes('desk')}) > 8
