"""The rows of ``ops.py``: our op, its peers, and the target ratio."""

from collections.abc import Callable
from typing import Any

import harness
import inputs
import numpy as np
import peers
import peers_projection
import peers_rendering
import torch
from op_case import Case, equal_indices, equal_sets, equal_values, with_gradient
from torch import Tensor

from pcdet_kd import ops


def clouds_of(x: Tensor) -> list[np.ndarray]:
    """The clouds as NumPy arrays."""
    return list(x.numpy())


def fps(batch: int, n: int, m: int) -> Case:
    """Farthest point sampling."""
    x = inputs.surface(batch, n)
    height = 3 if n < 2048 else 5  # of fpsample's buckets, the fastest of those tried
    return (
        Case(f'FPS {batch}x{n}->{m}', lambda: ops.farthest_point_sample(x, m), equal_indices)
        .add(
            'Python loop (PointNet++ ports)',
            lambda: peers.farthest_point_sample(x, m),
            40 if n < 2048 else None,
        )
        .add_package(
            'torch_quickfps',
            'torch_quickfps',
            lambda p: lambda: p.sample(x, m, start_idx=0)[1],
            2.5 if n < 2048 else 1.8,
        )
        .add_package(
            f'fpsample bucket, h={height}',
            'fpsample',
            lambda p: (
                lambda: np.stack(
                    [
                        p.bucket_fps_kdline_sampling(c, m, h=height, start_idx=0)
                        for c in clouds_of(x)
                    ]
                ).astype(np.int64)
            ),
            2 if n < 2048 else 1.8,
        )
    )


def knn(batch: int, n: int, k: int, channels: int) -> Case:
    """Nearest neighbours of all points, in space or in feature space."""
    space = channels == 3
    x = (
        inputs.surface(batch, n)
        if space
        else torch.randn(batch, n, channels, generator=torch.Generator().manual_seed(0))
    )

    def faiss(package: Any) -> Callable[[], Any]:
        package.omp_set_num_threads(torch.get_num_threads())
        return lambda: np.stack([package.knn(c, c, k)[1] for c in clouds_of(x)])

    case = (
        Case(f'kNN {batch}x{n}, k={k}, C={channels}', lambda: ops.knn(x, x, k), equal_sets)
        .add('DGCNN knn (matmul, topk)', lambda: peers.knn_dgcnn(x, k), 12 if space else 3)
        .add('bmm + topk', lambda: peers.knn_bmm(x, x, k), None if space else 2)
        .add_package('faiss-cpu', 'faiss', faiss, 4 if space else None)
    )
    if space:
        case.add_package(
            'SciPy cKDTree',
            'scipy.spatial',
            lambda p: lambda: np.stack([p.cKDTree(c).query(c, k)[1] for c in clouds_of(x)]),
            2,
        )
        case.add_package(
            'scikit-learn KDTree',
            'sklearn.neighbors',
            lambda p: (
                lambda: np.stack(
                    [p.KDTree(c).query(c, k, return_distance=False) for c in clouds_of(x)]
                )
            ),
        )
    return case


def ball(batch: int, n: int, m: int, radius: float, k: int) -> Case:
    """Ball query."""
    x = inputs.surface(batch, n)
    centres = ops.group(x, ops.farthest_point_sample(x, m))
    return Case(
        f'ball query {batch}x{n}, {m} centres, r={radius}, k={k}',
        lambda: ops.ball_query(centres, x, radius, k),
        equal_indices,
    ).add(
        'sort of all indices (PointNet++ ports)',
        lambda: peers.ball_query(centres, x, radius, k),
        45,
    )


def grouping(batch: int, n: int, m: int, k: int, channels: int) -> Case:
    """Grouping, forward and backward."""
    x = inputs.uniform(batch, n, channels=channels)
    index = torch.randint(n, (batch, m, k), generator=torch.Generator().manual_seed(0))
    return Case(
        f'group, forward and backward, {batch}x{m}x{k}x{channels}',
        with_gradient(lambda f: ops.group(f, index), x),
        equal_values,
    ).add('advanced indexing', with_gradient(lambda f: peers.index_points(f, index), x), 1.7)


def interpolation(batch: int, s: int, n: int, channels: int) -> Case:
    """Interpolation from three neighbours. A quarter of the queries coincide with a source, as
    after sampling.
    """
    points = inputs.surface(batch, n)
    query = torch.cat([points[:, : s // 4], inputs.surface(batch, s - s // 4, seed=1)], dim=1)
    features = torch.randn(batch, n, channels, generator=torch.Generator().manual_seed(0))
    distance = (
        torch.cdist(query.double(), points.double(), compute_mode='donot_use_mm_for_euclid_dist')
        ** 2
    )
    nearest, index = distance.topk(3, largest=False)
    weight = 1 / (nearest + 1e-8)
    exact = (
        peers.index_points(features.double(), index)
        * (weight / weight.sum(-1, keepdim=True))[..., None]
    ).sum(2)

    def check(ours: Tensor, peer: Tensor) -> str:
        return (
            f'error {(ours - exact).abs().max():.0e}, peer {(peer - exact).abs().max():.0e} '
            '(float64 reference)'
        )

    return Case(
        f'3-NN interpolation {batch}x{n}->{s}, C={channels}',
        lambda: ops.three_interpolate(query, points, features),
        check,
    ).add(
        'full sort (PointNet++ ports)', lambda: peers.three_interpolate(query, points, features), 25
    )


def chamfer(batch: int, n: int) -> Case:
    """Chamfer distance, forward and backward."""
    x, y = inputs.surface(batch, n), inputs.surface(batch, n, seed=1)
    return Case(
        f'Chamfer, forward and backward, {batch}x{n}',
        with_gradient(ops.chamfer_distance, x, y),
        equal_values,
    ).add('full matrix with autograd', with_gradient(peers.chamfer_distance, x, y), 12)


def emd(kind: str, batch: int, n: int) -> Case:
    """Matching of least total distance."""
    x, y = inputs.unit_cubes(*(getattr(inputs, kind)(batch, n, seed=s) for s in (0, 1)))

    def mean_distance(match: Tensor) -> float:
        return float((x.double() - peers.index_points(y.double(), match)).norm(dim=2).mean())

    def check(ours: Tensor, peer: Any) -> str:
        if not (ours.sort(1).values == torch.arange(n)).all():
            return 'NOT a bijection'
        if isinstance(peer, float):
            return f'peer: its own loss, {peer / mean_distance(ours) - 1:+.1%}'
        gap = mean_distance(ours) / mean_distance(torch.as_tensor(np.asarray(peer))) - 1
        return (
            f'bijection, gap {max(gap, 0):.5%}'
            if gap > -1e-3
            else f'bijection; peer {-gap / (1 + gap):.1%} above'
        )

    def per_pair(
        solve: Callable[[np.ndarray], np.ndarray], distances: Any
    ) -> Callable[[], Any] | None:
        if distances is None:
            return None
        return lambda: np.stack(
            [solve(distances.cdist(a, b)) for a, b in zip(clouds_of(x), clouds_of(y))]
        ).astype(np.int64)

    distances = harness.optional('scipy.spatial.distance')
    short = n <= 1024
    case = Case(f'EMD {batch}x{n}, {kind}', lambda: ops.emd_match(x, y), check)
    case.add_package(
        'SciPy linear_sum_assignment',
        'scipy.optimize',
        lambda p: per_pair(lambda cost: p.linear_sum_assignment(cost)[1], distances),
        (12 if kind == 'uniform' else 28) if short else 40,
    )
    case.add_package(
        'POT ot.emd',
        'ot',
        lambda p: per_pair(
            lambda cost: p.emd(np.full(n, 1 / n), np.full(n, 1 / n), cost, numItermax=10**7).argmax(
                1
            ),
            distances,
        ),
        12 if short else 10,
    )
    if short:
        case.add(
            "ours, compat='msn' (eps .05, 3000 rounds)", lambda: ops.emd_match(x, y, compat='msn')
        )
        case.add_package(
            'lapx lapjvc',
            'lap',
            lambda p: per_pair(lambda cost: p.lapjvc(cost, return_cost=False)[1], distances),
            18,
        )
        case.add_package(
            'torch-linear-assignment',
            'torch_linear_assignment',
            lambda p: lambda: p.batch_linear_assignment(torch.cdist(x.double(), y.double())),
            12,
        )
        case.add_package(
            'geomloss Sinkhorn, blur .005',
            'geomloss',
            lambda p: (
                lambda: float(
                    p.SamplesLoss('sinkhorn', p=1, blur=0.005, backend='tensorized')(x, y).mean()
                )
            ),
        )
    return case


def projection(batch: int, n: int, size: int) -> Case:
    """Six depth images of a cloud."""
    x = inputs.surface(batch, n)

    def check(ours: Tensor, peer: Tensor) -> str:
        return f'{int(((ours - peer).abs() > 1e-5).sum())} of {ours.numel()} pixels differ'

    return Case(
        f'projection {batch}x{n} to 6x{size}^2',
        lambda: ops.project_points(x, image_size=size),
        check,
    ).add('SimpleView', lambda: peers_projection.simpleview_project(x, image_size=size), 4)


def rendering(views: int, size: int, triangles: int, target: float) -> Case:
    """A mesh from cameras around it: the visible face and its brightness."""
    mesh = inputs.torus_mesh(triangles)
    vertices, faces = (torch.from_numpy(a) for a in mesh)
    cameras, intrinsics = peers_rendering.cameras_around(views, size)
    cameras = cameras.float()

    def check(ours: Any, peer: tuple[np.ndarray, np.ndarray]) -> str:
        return (
            f'{np.mean((ours.face.numpy() >= 0) != (peer[0] >= 0)):.4%} of the silhouette differs'
        )

    return Case(
        f'render {len(faces)} triangles, {views}x{size}^2',
        lambda: ops.rasterize_mesh(vertices, faces, cameras, intrinsics, size),
        check,
    ).add_package(
        'trimesh + embreex',
        'trimesh' if harness.optional('embreex') else 'embreex',
        lambda p: lambda: peers_rendering.embree(p, *mesh, cameras, intrinsics, size),
        target,
    )


# By name: function, arguments, and small arguments for a quick look.
CASES: dict[str, tuple[Callable[..., Case], tuple, tuple]] = {
    'fps': (fps, (32, 1024, 512), (2, 64, 16)),
    'fps-8192': (fps, (8, 8192, 2048), (1, 2048, 32)),
    'knn': (knn, (32, 1024, 20, 3), (2, 64, 8, 3)),
    'knn-64': (knn, (32, 1024, 20, 64), (2, 64, 8, 16)),
    'knn-128': (knn, (32, 1024, 20, 128), (2, 64, 8, 32)),
    'ball': (ball, (32, 1024, 512, 0.2, 32), (2, 64, 16, 0.4, 8)),
    'group': (grouping, (32, 1024, 512, 32, 64), (2, 64, 16, 4, 8)),
    'interpolate': (interpolation, (32, 1024, 512, 64), (2, 64, 16, 8)),
    'chamfer': (chamfer, (32, 1024), (2, 64)),
    'emd-uniform': (emd, ('uniform', 32, 1024), ('uniform', 2, 64)),
    'emd-surface': (emd, ('surface', 32, 1024), ('surface', 2, 64)),
    'project': (projection, (32, 1024, 128), (2, 64, 16)),
    'render-460': (rendering, (12, 224, 460, 10), (2, 16, 460, 10)),
    'render-46k': (rendering, (12, 224, 46000, 4), (2, 16, 2000, 4)),
    'emd-2048': (emd, ('surface', 4, 2048), ('surface', 1, 64)),
}
