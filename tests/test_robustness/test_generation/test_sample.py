import dataclasses

import numpy as np
import pytest

from pcdet_kd.corruptions import geometry
from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.robustness.generation.sample import Maker, generator_for
from pcdet_kd.utils.errors import DataError, SampleError

M40, MC = SUITES['modelnet40-c'], SUITES['modelnet-c']


def indices(cloud, original):
    """Which points of ``original`` a cloud consists of."""
    place = {p.tobytes(): i for i, p in enumerate(original)}
    return [place[p.tobytes()] for p in np.ascontiguousarray(cloud)]


def test_generators_differ_in_every_part_of_the_key():
    keys = [
        (0, 'a', 1),
        (1, 'a', 1),
        (0, 'b', 1),
        (0, 'a', 2),
        (0, 'a', None),
        ('0a', 1),
        (0, 'a1'),
    ]
    assert len({generator_for(*key).random() for key in keys}) == len(keys)
    assert generator_for(0, 'a').random() == generator_for(0, 'a').random()


def test_modelnet40c_takes_one_random_choice_for_all_clouds(source):
    maker = Maker(M40, source, 0, 500)
    chosen = [indices(maker.make(None, i), source.points[i]) for i in range(3)]
    assert (
        chosen[0] == chosen[1] == chosen[2]
        and len(set(chosen[0])) == 500
        and chosen[0] != sorted(chosen[0])
    )
    other = [
        indices(m.make(s, 0), source.points[0])
        for m, s in (
            (maker, ('cutout', 1)),
            (maker, ('cutout', 2)),
            (maker, ('density', 1)),
            (Maker(M40, source, 1, 500), None),
        )
    ]
    assert len({frozenset(o) for o in (*other, chosen[0])}) == 5


def test_modelnetc_takes_the_first_points(source):
    assert np.array_equal(Maker(MC, source, 0, 500).make(None, 2), source.points[2][:500])
    np.testing.assert_array_equal(
        Maker(MC, source, 0, 500).make(('add_global', 0), 2)[:500], source.points[2][:500]
    )


def test_clouds_of_different_sizes_share_what_they_can(source):
    ragged = dataclasses.replace(
        source,
        points=[cloud[:n] for cloud, n in zip(source.points, (900, 1024, 300))],
        labels=source.labels[:3],
        ids=source.ids[:3],
    )
    chosen = [indices(Maker(M40, ragged, 0, 400).make(None, i), source.points[i]) for i in range(3)]
    assert [len(c) for c in chosen] == [400] * 3
    assert len(set(chosen[2])) == 300 and set(chosen[2]) == set(range(300))  # all, and some again
    shared = np.argsort(generator_for(0, 'modelnet40-c', M40.clean, None).random(1024))
    assert chosen[0] == [i for i in shared if i < 900][:400] and chosen[1] == shared[:400].tolist()
    small = dataclasses.replace(
        ragged, points=ragged.points[:1]
    )  # what else is there doesn't matter
    assert indices(Maker(M40, small, 0, 400).make(None, 0), source.points[0]) == chosen[0]


def test_density_inc_takes_up_to_twice_as_many(source):
    seen = set(indices(Maker(M40, source, 0, 512).make(('density_inc', 1), 0), source.points[0]))
    assert len(Maker(M40, source, 0, 512).make(('density_inc', 1), 0)) == 512
    assert len(seen) > 100 + 0.35 * 512
    few = {
        i
        for k in range(12)
        for i in indices(Maker(M40, source, 0, 512).make(('density_inc', 1), k), source.points[k])
    }
    assert len(few) > 1000  # out of all 1,024


@pytest.mark.parametrize('name', ['shear', 'rotation', 'lidar', 'occlusion', 'cutout'])
def test_clouds_stay_in_their_axes(source, name):
    """A set made of z-up clouds is the set made of the same clouds, y-up, turned."""
    upright = dataclasses.replace(
        source, up_axis='z', points=np.stack([geometry.turned(c, 'y', 'z') for c in source.points])
    )
    a, b = (Maker(M40, s, 0, 1024).make((name, 3), 4) for s in (source, upright))
    np.testing.assert_allclose(geometry.turned(a, 'y', 'z'), b, atol=1e-6)
    assert a.shape == (M40.num_points(name, 3), 3)


def test_errors_name_the_sample(source):
    with pytest.raises(
        SampleError,
        match=r"modelnet40-c: 'cutout' at severity 5 of sample 'test/0003' \(Boxes.*200 points",
    ):
        Maker(M40, source, 0, 200).make(('cutout', 5), 3)
    broken = dataclasses.replace(source, mesh=lambda i: (np.zeros((3, 3)), np.array([[0, 1, 2]])))
    with pytest.raises(
        SampleError, match="'lidar' at severity 1 of sample 'test/0000'.*sees nothing of the mesh"
    ):
        Maker(M40, broken, 0, 1024).make(('lidar', 1), 0)

    def unreadable(index):
        raise DataError('mesh.off', 'nothing', 'a mesh', 'none')

    with pytest.raises(DataError, match=r'mesh\.off'):
        Maker(M40, dataclasses.replace(source, mesh=unreadable), 0, 1024).make(('lidar', 1), 0)
