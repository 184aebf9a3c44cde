"""From a collated batch to a model's inputs, on the model's device."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from pcdet_kd.registry import BATCH_AUGMENTS, MODELS
from pcdet_kd.structures import PointDataSample, targets
from pcdet_kd.views.image_normalization import IMAGENET_MEAN, IMAGENET_STD, normalize_images


@MODELS.register_module()
class PointDataPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device, mix its clouds where wanted, and, where a model looks at images,
    draw the views.

    It can run on its own output: views that are there are kept, so that a teacher may be handed a
    student's inputs. Views that are uint8 (B, V, 1 or 3, H, W), as ``LoadViews(mean=None,
    std=None)`` gives them, become float32 (B, V, 3, H, W) here.

    Args:
        views: Config of a module that turns ``points`` (B, N, C) into ``views`` (B, V, 3, H, W),
            for example ``dict(type='PerspectiveProjection')``. Data sets that deliver ``views``
            themselves need none.
        non_blocking: Copy to the device without waiting.
        batch_augments: For training only: config of a batch augment, or arguments of
            :class:`RandomBatchAugment`, for example ``dict(augments=dict(type='RSMix'),
            probs=0.5)``. A mixed sample is a copy with a ``gt_score``. Views that are drawn here
            show the mixed clouds.
        num_classes: K of the ``gt_score``; a classifier fills it in.
        image_mean, image_std: Of red, green and blue in [0, 1], for views that are uint8; by
            default ImageNet's.
    """

    def __init__(
        self,
        views: dict | None = None,
        non_blocking: bool = False,
        batch_augments: dict | None = None,
        num_classes: int | None = None,
        image_mean: Sequence[float] = IMAGENET_MEAN,
        image_std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        self.views = MODELS.build(views) if views else None
        self.batch_augments = None
        if batch_augments:
            self.batch_augments = BATCH_AUGMENTS.build(
                {'type': 'RandomBatchAugment', **batch_augments}
            )
            if not num_classes:
                raise ValueError(
                    'batch_augments mix labels: the data_preprocessor needs num_classes, which a '
                    'PointClassifier takes from its head'
                )
        self.num_classes = num_classes
        self.image_mean, self.image_std = image_mean, image_std
        self._random_state = None

    def set_random_state(self, *numbers: int) -> None:
        """Let the next batch's mixing follow from these numbers (seed, iteration, rank) alone.

        Without it, which is outside of a Runner with a ``SeedHook``, it follows from torch's global
        generator.
        """
        self._random_state = numbers

    def forward(self, data: dict, training: bool = False) -> dict:
        """Return ``dict(inputs=..., data_samples=...)`` on the device; ``inputs`` lists are
        stacked.

        Raises:
            ValueError: Views are to be drawn of samples whose up axis is another one than the
                views', or clouds are to be mixed while other inputs show them as they were.
        """
        data = self.cast_data(data)
        inputs = {
            name: torch.stack(list(value)) if isinstance(value, (list, tuple)) else value
            for name, value in data['inputs'].items()
        }
        samples = data.get('data_samples')
        if training and self.batch_augments is not None:
            inputs, samples = self._mix(inputs, samples)
        if self.views is not None and 'views' not in inputs:
            self._check_up_axis(samples or ())
            with torch.no_grad():
                inputs['views'] = self.views(inputs['points'])
        elif 'views' in inputs and inputs['views'].dtype == torch.uint8:
            inputs['views'] = normalize_images(inputs['views'], self.image_mean, self.image_std)
        return dict(inputs=inputs, data_samples=samples)

    @torch.compiler.disable
    def _mix(self, inputs: dict[str, Tensor], samples: list[PointDataSample]) -> tuple[dict, list]:
        """Return inputs, and samples (``cast_data`` has copied them), after the batch augment."""
        others = sorted(set(inputs) - {'points'})
        if 'points' not in inputs or others:
            raise ValueError(
                f'batch_augments mix points; the batch has {sorted(inputs)}'
                + (
                    f', and {others} would still show the clouds as they were. Take them out of '
                    'PackPointInputs; '
                    'views of the mixed clouds can be drawn by data_preprocessor.views'
                    if others
                    else ''
                )
            )
        points = inputs['points']
        if not samples or any('gt_label' not in sample for sample in samples):
            raise ValueError(
                'batch_augments mix labels: every sample of the batch needs a gt_label'
            )
        target = targets(samples, self.num_classes).to(points.device)
        score = (
            target
            if target.dim() == 2
            else torch.nn.functional.one_hot(target, self.num_classes).float()
        )
        numbers, self._random_state = (
            self._random_state or torch.randint(2**62, (2,)).tolist(),
            None,
        )
        with torch.no_grad(), torch.autocast(points.device.type, enabled=False):
            mixed, shares = self.batch_augments(points, score, np.random.default_rng(numbers))
        if shares is score:
            return inputs, samples
        return {**inputs, 'points': mixed}, [
            sample.set_gt_score(share) for sample, share in zip(samples, shares)
        ]

    def _check_up_axis(self, samples: list) -> None:
        drawn = getattr(self.views, 'settings', {}).get('up_axis')
        for sample in samples:
            given = sample.get('up_axis', drawn)
            if drawn is not None and given != drawn:
                raise ValueError(
                    f"the up axis of sample '{sample.get('sample_id')}' is '{given}', the views "
                    'are drawn with '
                    f"'{drawn}' up: set up_axis='{given}' in data_preprocessor.views"
                )
