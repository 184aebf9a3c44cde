"""Rendered images from files as model inputs."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import torch
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.stored_views import StoredViews
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.views.image_normalization import IMAGENET_MEAN, IMAGENET_STD, normalize_images


@TRANSFORMS.register_module()
class LoadViews(BaseTransform):
    """Add ``views`` (V, 3, R, R) float32: renderings of the sample's mesh, from files
    ``<views_root>/<name>_001.png`` and so on.

    These are what ``pcdet-kd render-views`` writes, and RotationNet's 20 views of ModelNet40. Where
    random transforms move the points, the images stay as they are: PointCMT augments points only.

    ``name`` is made of the sample: ``{class_name}``, ``{official_split}`` (``train`` for the
    validation part too), ``{sample_id}`` and ``{stem}``, which is the ``sample_id`` without a
    file extension. The default fits
    :class:`~pcdet_kd.datasets.modelnet40_resampled.ModelNet40Resampled`, whose samples have the
    names of their meshes. For a :class:`~pcdet_kd.datasets.point_cloud_folder.PointCloudFolder` of
    meshes, with views that were rendered from the same folder, it is ``'{stem}'``. Samples of
    ModelNet40's h5 files, of ScanObjectNN and of other data sets with many samples per file do not
    tell which mesh they come from: a subclass of the data set must give them such names.

    Args:
        views_root: Folder of the images.
        num_views: How many images of each shape are read, from the first.
        image_size: Height and width R in pixels; larger images are downsampled.
        color: Whether the images are coloured. A grey image is repeated for the three channels.
        mean, std: Per colour channel, in [0, 1]; by default ImageNet's. None for both: ``views``
            (V, 1 or 3, R, R) stay uint8, and
            :class:`~pcdet_kd.models.preprocessor.PointDataPreprocessor` normalises them on the
            model's device: a twelfth (in colour: a quarter) of the bytes are copied there.
        name: Path of a sample's files below ``views_root``, without view number and extension.
        cache_dir: Folder for decoded images, shared by all processes; see
            :class:`~pcdet_kd.datasets.stored_views.StoredViews`. None: every image is decoded every
            time.
    """

    def __init__(
        self,
        views_root: str,
        num_views: int = 20,
        image_size: int = 224,
        color: bool = False,
        mean: Sequence[float] | None = IMAGENET_MEAN,
        std: Sequence[float] | None = IMAGENET_STD,
        name: str = '{class_name}/{official_split}/{sample_id}',
        cache_dir: str | None = None,
    ) -> None:
        if (mean is None) != (std is None) or (mean is not None and not len(mean) == len(std) == 3):
            raise ValueError(
                f'mean is {mean} and std is {std}, must be three numbers each, or None for both'
            )
        self.stored = StoredViews(views_root, num_views, image_size, color, cache_dir)
        self.mean, self.std = mean, std
        self.name = name

    def transform(self, results: dict) -> dict:
        """Read the images.

        Raises:
            DataError: An image is missing or malformed, or the cache cannot be written.
            KeyError: The sample has no entry that ``name`` needs.
        """
        views = self.stored.load(self._name_of(results))
        if self.mean is not None:
            views = normalize_images(torch.from_numpy(views), self.mean, self.std).numpy()
        return {**results, 'views': views}

    def fingerprint(self, samples: Sequence[dict]) -> str:
        """Return a hash of these samples' images; see :meth:`StoredViews.fingerprint`.

        Raises:
            DataError: A sample has no images.
        """
        return self.stored.fingerprint([self._name_of(sample) for sample in samples])

    def _name_of(self, results: dict) -> str:
        stem = (
            {'stem': PurePosixPath(results['sample_id']).with_suffix('').as_posix()}
            if 'sample_id' in results
            else {}
        )
        try:
            return self.name.format(**{**results, **stem})
        except KeyError as error:
            raise KeyError(
                f"name '{self.name}' needs {error}; the sample has "
                f'{", ".join(sorted({**results, **stem}))}'
            ) from None
