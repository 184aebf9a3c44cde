from collections import Counter

import numpy as np
import pytest

from pcdet_kd.datasets.class_names import SCANOBJECTNN
from pcdet_kd.datasets.synthetic.shapes import BUILDERS, PART_NAMES, PARTS, build_mesh, pick

EACH = pytest.mark.parametrize('label', range(15), ids=SCANOBJECTNN)


def drawn(label, count=40):
    return [build_mesh(label, np.random.default_rng([label, i])) for i in range(count)]


def is_closed(faces):
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return {tuple(e) for e in edges} == {tuple(e[::-1]) for e in edges} and len(
        {tuple(e) for e in edges}
    ) == len(edges)


def test_tables_cover_the_classes_in_label_order():
    build_mesh(0, np.random.default_rng(0))
    assert list(PARTS) == list(SCANOBJECTNN) and set(BUILDERS) == set(SCANOBJECTNN)
    assert len(set(PART_NAMES)) == len(PART_NAMES) == sum(map(len, PARTS.values()))
    assert PART_NAMES[:4] == ('bag/body', 'bag/handle', 'bag/pocket', 'bin/body')


@EACH
def test_meshes_are_whole(label):
    for mesh in drawn(label):
        assert np.isfinite(mesh.vertices).all()
        assert mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
        assert len(mesh.faces) == len(mesh.face_parts) < 20000
        assert is_closed(mesh.faces)
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        np.testing.assert_allclose([low[1], low[0] + high[0], low[2] + high[2]], 0, atol=1e-9)
        assert 0.1 < (high - low).max() < 4 and (high - low).min() > 0.01


@EACH
def test_solids_face_outwards(label):
    for i in range(30):
        for solid in BUILDERS[SCANOBJECTNN[label]](np.random.default_rng([label, i])):
            a, b, c = np.moveaxis(solid.vertices[solid.faces] - solid.vertices.mean(axis=0), 1, 0)
            assert (a * np.cross(b, c)).sum() > 0, solid.part


@EACH
def test_every_part_occurs_and_some_are_optional(label):
    names = [[PART_NAMES[p] for p in np.unique(mesh.face_parts)] for mesh in drawn(label, 60)]
    counts = Counter(n for found in names for n in found)
    assert set(counts) == {f'{SCANOBJECTNN[label]}/{part}' for part in PARTS[SCANOBJECTNN[label]]}


@EACH
def test_objects_of_a_class_differ(label):
    meshes = drawn(label, 30)
    ratios = np.array(
        [np.ptp(m.vertices, axis=0) / np.ptp(m.vertices, axis=0).max() for m in meshes]
    )
    assert ratios.std(axis=0).max() > 0.05
    assert len({len(m.faces) for m in meshes}) >= 2
    first, again = build_mesh(label, np.random.default_rng([label, 0])), meshes[0]
    np.testing.assert_array_equal(first.vertices, again.vertices)


def test_pick_follows_the_weights():
    rng = np.random.default_rng(0)
    counts = Counter(pick(rng, ('a', 3), ('b', 1), ('never', 0)) for _ in range(2000))
    assert counts['never'] == 0 and counts['a'] / 2000 == pytest.approx(0.75, abs=0.04)
