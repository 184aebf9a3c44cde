"""SyntheticScans: simulated depth scans of generated furniture, in ScanObjectNN's 15 classes;
nothing to download.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pcdet_kd.datasets.array_cache import cached_array, default_cache_dir
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.class_names import SCANOBJECTNN
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.synthetic.generate import (
    GENERATOR_VERSION,
    VARIANTS,
    label_of,
    make_sample,
    object_mesh,
)
from pcdet_kd.datasets.synthetic.h5_writer import write_scanobjectnn
from pcdet_kd.datasets.synthetic.mesh import Mesh
from pcdet_kd.datasets.synthetic.parallel import make_samples
from pcdet_kd.datasets.synthetic.shapes import CLASS_PARTS, PART_NAMES
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.arguments import check_choice


@DATASETS.register_module()
class SyntheticScans(PointCloudDataset):
    """Generated objects of ScanObjectNN's classes, as a depth camera would scan them.

    Every object is a parametric mesh of its own; desks resemble tables, boxes resemble bins, and
    wide chairs resemble sofas. The scan sees what one to three nearby cameras see, with noise,
    holes, missing sides and a random turn about y (up). Clouds are centred on the object's box
    (PB_T50_RS: on the perturbed box) and scaled so that the farthest point is at distance 1.

    A sample depends on seed, split, its number, variant and ``num_points`` alone, not on the
    number of samples or of processes; sample i is of class i mod 15. Results on this data can
    compare methods; they say nothing about real scans.

    Samples have, besides what every data set gives, ``normals`` (N, 3) of the true surface, and
    ``part_labels`` and ``mask`` (N,) int64: an index into ``metainfo['part_names']``, -1 for
    background. The two are the same array, under this package's name and under ScanObjectNN's.

    The generated clouds are cached as one ``.npy`` file per array; a damaged file is named in
    the log and generated again.

    Args:
        variant: ``'OBJ_ONLY'`` (objects alone), ``'OBJ_BG'`` (with floor, wall and clutter in their
            box) or ``'PB_T50_RS'`` (box shifted by up to half its size, turned and scaled: the
            hardest). All three show the same scans.
        num_train: Size of the training set, validation part included.
        num_test: Size of the test set.
        num_points: Points per cloud.
        seed: Another seed is another data set of the same kind.
        cache_dir: Where caches are kept; None for ``pcdet_kd`` in the user's cache directory.
        workers: Processes that generate; None for one per processor.
        task: ``'classification'`` or ``'part_segmentation'``: what ``metainfo['task']`` says. The
            samples are the same.
        options: Arguments of :class:`PointCloudDataset`.

    Raises:
        DataError: The cache cannot be written.
    """

    METAINFO = dict(
        classes=SCANOBJECTNN,
        up_axis='y',
        task='classification',
        part_names=PART_NAMES,
        class_parts=CLASS_PARTS,
    )

    def __init__(
        self,
        variant: str = 'OBJ_ONLY',
        num_train: int = 2309,
        num_test: int = 581,
        num_points: int = 2048,
        seed: int = 0,
        cache_dir: str | Path | None = None,
        workers: int | None = None,
        task: str = 'classification',
        metainfo: dict | None = None,
        **options: Any,
    ) -> None:
        check_choice('variant', variant, VARIANTS)
        check_choice('task', task, ('classification', 'part_segmentation'))
        for name, value, least in (
            ('num_train', num_train, 1),
            ('num_test', num_test, 1),
            ('num_points', num_points, 1),
            ('seed', seed, 0),
            ('workers', workers, 1),
        ):
            if value is not None and (value != int(value) or value < least):
                raise ValueError(f'{name} is {value}, must be a whole number of at least {least}')
        self.variant = variant
        self.num_train = num_train
        self.num_test = num_test
        self.num_points = num_points
        self.seed = seed
        self.cache_dir = (
            Path(cache_dir).expanduser() if cache_dir is not None else default_cache_dir()
        )
        self.workers = workers
        super().__init__(metainfo=dict(metainfo or {}, task=task), **options)

    @property
    def cache_folder(self) -> Path:
        """Where this split's arrays are kept; the name holds everything that they depend on."""
        count = self.num_test if self.official_split == 'test' else self.num_train
        return (
            self.cache_dir
            / 'synthetic_scans'
            / f'v{GENERATOR_VERSION}-{self.variant}-seed{self.seed}'
            / f'{self.official_split}-{count}x{self.num_points}'
        )

    def load_records(self) -> Records:
        split = self.official_split
        count = self.num_test if split == 'test' else self.num_train
        what = dict(
            variant=self.variant,
            seed=self.seed,
            split=split,
            count=count,
            num_points=self.num_points,
        )
        folder = self.cache_folder

        @cache
        def made() -> dict[str, np.ndarray]:
            return make_samples(*what.values(), self.workers)

        key = dict(version=GENERATOR_VERSION, **what)
        arrays = {
            name: cached_array(folder / f'{name}.npy', key, lambda name=name: made()[name])
            for name in ('points', 'normals', 'part_labels')
        }
        parts = arrays['part_labels'].astype(np.int64)
        return Records(
            arrays['points'],
            np.array([label_of(i) for i in range(count)], np.int64),
            [f'synthetic-{self.seed}-{split}-{i:06d}' for i in range(count)],
            dict(normals=arrays['normals'], part_labels=parts, mask=parts),
            str(folder),
        )

    def mesh(self, index: int) -> Mesh:
        """Return the complete object of sample ``index`` of this split, as a mesh in the
        coordinates of its points.

        Its ``face_parts`` index ``metainfo['part_names']``. The mesh is generated, not stored: a
        few milliseconds.
        """
        record = self.data_list[index]['record']
        sample = make_sample(self.variant, self.seed, self.official_split, record, self.num_points)
        return object_mesh(self.seed, self.official_split, record).transformed(
            sample.matrix, sample.offset
        )

    def write_h5(self, root: str | Path) -> Path:
        """Write the samples of this split in ScanObjectNN's layout below ``root`` and return the
        file.

        Split ``'test'`` becomes the test file, any other the training file.
        """
        chosen = np.array([info['record'] for info in self.data_list])
        return write_scanobjectnn(
            root,
            self.variant,
            self.official_split,
            self.records.points[chosen],
            self.records.labels[chosen],
            self.records.extras['mask'][chosen],
        )
