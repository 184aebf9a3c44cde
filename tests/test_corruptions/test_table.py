import inspect

import numpy as np
import pytest

from pcdet_kd.datasets.suites import SUITES

POINTS = [
    (suite, c.name)
    for suite in SUITES.values()
    for c in suite.corruptions.values()
    if not c.needs_mesh
]


def chamfer(a, b):
    from scipy.spatial import cKDTree

    return cKDTree(b).query(a)[0].mean() + cKDTree(a).query(b)[0].mean()


def worst_gaps(a, b):
    from scipy.spatial import cKDTree

    return np.sort(cKDTree(b).query(a)[0])[-len(a) // 10 :].mean()


@pytest.mark.parametrize('suite, name', POINTS, ids=lambda v: getattr(v, 'name', v))
class TestEach:
    def test_point_counts_are_the_published_ones(self, suite, name, shapes):
        for severity in suite.severities:
            out = suite.corruptions[name].function(shapes[0], severity, np.random.default_rng(1))
            assert out.shape == (suite.num_points(name, severity), 3) and out.dtype == np.float32
            assert np.isfinite(out).all()

    def test_nothing_is_changed_in_place_and_the_generator_decides(self, suite, name, shapes):
        cloud, function = shapes[1].copy(), suite.corruptions[name].function
        cloud.flags.writeable = False
        first, same, other = (
            function(cloud, suite.severities[2], np.random.default_rng(s)) for s in (1, 1, 2)
        )
        np.testing.assert_array_equal(cloud, shapes[1])
        assert np.array_equal(first, same) and not np.array_equal(first, other)

    def test_damage_grows_with_severity(self, suite, name, shapes):
        function = suite.corruptions[name].function
        raw = dict(finish=False) if 'finish' in inspect.signature(function).parameters else {}
        distance = chamfer
        if name == 'density_inc':  # takes half of a cloud, and leaves gaps between dense places
            shapes, distance = (
                [np.concatenate([cloud, 0.97 * cloud]) for cloud in shapes],
                worst_gaps,
            )
        damage = [
            np.mean(
                [
                    distance(
                        cloud, function(cloud, severity, np.random.default_rng(100 * i + r), **raw)
                    )
                    for i, cloud in enumerate(shapes)
                    for r in range(3)
                ]
            )
            for severity in suite.severities
        ]
        assert damage[0] > 0 and (np.diff(damage) > 0).all(), damage

    def test_severities_of_other_suites_are_refused(self, suite, name, shapes):
        for severity in (suite.severities[0] - 1, suite.severities[-1] + 1):
            with pytest.raises(
                ValueError, match=f'severity is {severity}, expected {suite.severities[0]} to'
            ):
                suite.corruptions[name].function(shapes[0], severity, np.random.default_rng(0))

    def test_wrong_shapes_and_too_few_points(self, suite, name):
        function = suite.corruptions[name].function
        with pytest.raises(ValueError, match=r'shape \(3, 1024\)'):
            function(
                np.zeros((3, 1024), np.float32), suite.severities[-1], np.random.default_rng(0)
            )
        with pytest.raises(ValueError, match='0 points, expected at least'):
            function(np.zeros((0, 3), np.float32), suite.severities[-1], np.random.default_rng(0))


@pytest.mark.parametrize('suite, name', POINTS, ids=lambda v: getattr(v, 'name', v))
def test_which_keep_the_order(suite, name, shapes):
    """Of those that do, a point's own place is its nearest among the places of the result."""
    from scipy.spatial import cKDTree

    each, cloud = suite.corruptions[name], shapes[0][:1024]
    moved = each.function(cloud, suite.severities[0], np.random.default_rng(0))[: len(cloud)]
    fit = np.linalg.lstsq(np.c_[cloud[: len(moved)], np.ones(len(moved))], moved, rcond=None)[0]
    near = cKDTree(np.c_[cloud, np.ones(len(cloud))] @ fit).query(moved, k=30)[1]
    own = (near == np.arange(len(moved))[:, None]).any(axis=1).mean()
    assert (own > 0.8) == each.keeps_order, own
