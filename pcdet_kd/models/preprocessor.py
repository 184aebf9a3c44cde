"""From a collated batch to a model's inputs, on the model's device."""

import torch
from mmengine.model import BaseDataPreprocessor

from pcdet_kd.registry import MODELS


@MODELS.register_module()
class PointDataPreprocessor(BaseDataPreprocessor):
    """Move a batch to the device and, where a model looks at images, draw the views.

    It can run on its own output: views that are there are kept, so that a teacher may be handed a student's inputs.

    Args:
        views: Config of a module that turns ``points`` (B, N, C) into ``views`` (B, V, 3, H, W), for example
            ``dict(type='PerspectiveProjection')``; of padded clouds the first ``lengths`` (B,) points count. Data sets that
            deliver ``views`` themselves need none.
        non_blocking: Copy to the device without waiting.
    """

    def __init__(self, views: dict | None = None, non_blocking: bool = False) -> None:
        super().__init__(non_blocking=non_blocking)
        self.views = MODELS.build(views) if views else None

    def forward(self, data: dict, training: bool = False) -> dict:
        """Return ``dict(inputs=..., data_samples=...)`` on the device; ``inputs`` lists are stacked.

        Raises:
            ValueError: Views are to be drawn of samples whose up axis is another one than the views'.
        """
        data = self.cast_data(data)
        inputs = {name: torch.stack(list(value)) if isinstance(value, (list, tuple)) else value
                  for name, value in data['inputs'].items()}
        if self.views is not None and 'views' not in inputs:
            self._check_up_axis(data.get('data_samples') or ())
            with torch.no_grad():
                inputs['views'] = self.views(inputs['points'], lengths=inputs.get('lengths'))
        return dict(inputs=inputs, data_samples=data.get('data_samples'))

    def _check_up_axis(self, samples: list) -> None:
        drawn = getattr(self.views, 'settings', {}).get('up_axis')
        for sample in samples:
            given = sample.get('up_axis', drawn)
            if drawn is not None and given != drawn:
                raise ValueError(f"the up axis of sample '{sample.get('sample_id')}' is '{given}', the views are drawn with "
                                 f"'{drawn}' up: set up_axis='{given}' in data_preprocessor.views")
