"""Classifying clouds with a trained model."""

import copy
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.infer import BaseInferencer

from pcdet_kd.apis.export.exported import ExportedClassifier
from pcdet_kd.apis.given_clouds import list_inputs, read_inputs
from pcdet_kd.apis.models import init_model, model_config
from pcdet_kd.datasets.base import build_transforms
from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.datasets.transforms.sampling import PointSampling
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.config_classes import classes_of
from pcdet_kd.registry import DATASETS, TRANSFORMS
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.exported_files import format_of

_NORMALIZING = ('UnitSphere', 'UnitBox', 'CenterPoints')
# These keep points by their place in the file or by chance; clouds of users have any order.
_UNFIT = ('FirstPoints', 'RandomPoints', 'FarthestThenRandom')


class PointCloudClassificationInferencer(BaseInferencer):
    """Classify point clouds of files, folders, arrays or tensors.

    Clouds go through the transforms that the config tests with, with two changes, which
    :attr:`says` tells: the number of points is reached by farthest-point sampling (a smaller cloud
    repeats points), whatever the config does with its own files; and where the config does not
    normalise, because its files already are normalised, clouds are centred and scaled into the unit
    sphere.

    Args:
        model: Config file, name of a model, or loaded config; or, without ``weights``, an exported
            model: ``.onnx`` or ``.pt2`` file, a pretrained folder, or the name of a repository.
        weights: Checkpoint, of the model or of a distiller that trained it; None: ``model`` is an
            exported one, which says itself how its clouds are prepared.
        device: Where the model runs; None: a GPU if there is one, but ``.onnx`` and ``.pt2`` files
            run on the CPU.
        up_axis: The axis that points up in the given clouds; None: as in the model's data.
        normalize: Whether to scale clouds into the unit sphere where the config does not.
        options: As ``--cfg-options``.
        show_progress: Whether to show a progress bar, where the output is a terminal.
        trust: Whether to read a ``.pt2`` file, which can run code that it holds.

    Attributes:
        classes: Names of the classes.
        says: In words, what is done with each cloud.

    Raises:
        ConfigError: The config's model is no classifier of points, or has no test data.
        CheckpointError: The weights or the exported model cannot be used.
    """

    postprocess_kwargs = {'topk', 'features'}
    forward_kwargs = {'clouds'}
    preprocess_kwargs = {'columns'}

    def __init__(
        self,
        model: str | os.PathLike | Config,
        weights: str | os.PathLike | None = None,
        device: str | None = None,
        up_axis: str | None = None,
        normalize: bool = True,
        options: dict[str, Any] | None = None,
        show_progress: bool = True,
        trust: bool = False,
    ) -> None:
        if up_axis is not None:
            check_choice('up_axis', up_axis, ('x', 'y', 'z'))
        self.show_progress, self.scope = show_progress and sys.stdout.isatty(), 'pcdet_kd'
        steps = (
            self._open_exported(model, device, trust)
            if weights is None and not isinstance(model, Config)
            else self._open(model, weights, device, options)
        )
        self.given_up_axis = up_axis or self.up_axis
        self._normalize = normalize
        self.pipeline, self.says = self._init_pipeline(steps)
        self.failed: dict[str, str] = {}
        self.visualizer = None

    def _open_exported(
        self, path: str | os.PathLike, device: str | None, trust: bool
    ) -> Sequence[dict]:
        """Open an exported model and return its transforms."""
        if device is None and format_of(path) == 'safetensors':
            device = get_device()
        self.model = ExportedClassifier(path, device, trust)
        description = self.model.description
        self.classes, self.up_axis = tuple(description.classes), description.up_axis
        return description.preprocessing

    def _open(
        self,
        model: str | os.PathLike | Config,
        weights: str | os.PathLike | None,
        device: str | None,
        options: dict[str, Any] | None,
    ) -> Sequence[dict]:
        """Build the model of a config and return the transforms that the config tests with."""
        cfg = model if isinstance(model, Config) else load_config(model_config(model), options)
        self.cfg = cfg
        self.model = init_model(cfg, weights, device or get_device())
        data = (cfg.get('test_dataloader') or {}).get('dataset')
        if data is None or not hasattr(self.model, 'head'):
            raise ConfigError(model, ['predict needs a classifier, and test data that say how'])
        meta = getattr(self.model, 'dataset_meta', {})
        known = meta.get('classes') or classes_of(data)
        self.classes = tuple(known or (f'class {i}' for i in range(self.model.head.num_classes)))
        kind = DATASETS.get(data['type']) if isinstance(data['type'], str) else data['type']
        self.up_axis = meta.get('up_axis') or data.get('up_axis') or kind.METAINFO.get('up_axis')
        return data.get('pipeline') or []

    def _init_pipeline(self, given: Sequence[dict]) -> tuple[list, list[str]]:
        """Return the transforms for clouds of users, and what they do in words."""
        steps, says, scaled = [], [], False
        for step in copy.deepcopy(list(given)):
            name = step['type'] if isinstance(step['type'], str) else step['type'].__name__
            if issubclass(TRANSFORMS.get(name), PointSampling):
                if name in _UNFIT:
                    step = dict(type='FarthestPoints', num_points=step['num_points'])
                step['on_short'] = 'resample'
                says.append(f'{step["num_points"]} points by farthest-point sampling')
            elif name in _NORMALIZING:
                scaled = True
                says.append(f'{name} as in the config')
            steps.append(step)
        if self._normalize and not scaled:
            steps.insert(0, dict(type='UnitSphere'))
            says.insert(0, 'centred and scaled into the unit sphere')
        if self.up_axis and self.given_up_axis != self.up_axis:
            steps.insert(0, dict(type='ConvertUpAxis', to=self.up_axis))
            says.insert(0, f'turned from {self.given_up_axis} up to {self.up_axis} up')
        return build_transforms(steps), says

    def _inputs_to_list(self, inputs: Any) -> list:
        return list_inputs(inputs)

    def preprocess(
        self, inputs: list, batch_size: int = 1, columns: Sequence[str] | None = None
    ) -> Iterator[dict]:
        """Yield batches of clouds of one size. A cloud that can't be used is put into
        :attr:`failed` with the reason, and left out.

        Args:
            inputs: As :func:`~pcdet_kd.apis.given_clouds.list_inputs` returns them.
            batch_size: Most clouds of a batch.
            columns: Names of the columns of text and npy files.
        """
        self.failed = {}
        waiting: dict[int, list[dict]] = {}
        for number, (name, cloud) in enumerate(read_inputs(inputs, columns)):
            if isinstance(cloud, str):
                self.failed[name] = cloud
                continue
            try:
                packed = self._packed(number, name, cloud)
            except (KeyError, ValueError) as error:
                self.failed[name] = str(error.args[0] if error.args else error)
                continue
            batch = waiting.setdefault(len(packed['inputs']['points']), [])
            batch.append(packed)
            if len(batch) == batch_size:
                yield collate_points(waiting.pop(len(packed['inputs']['points'])))
        for batch in waiting.values():
            yield collate_points(batch)

    def _packed(self, number: int, name: str, cloud: dict[str, np.ndarray]) -> dict:
        np.random.seed(number)  # for transforms that draw, so that a file's result is always one
        sample = dict(cloud, sample_id=name, sample_idx=number, num_points=len(cloud['points']))
        if self.given_up_axis:
            sample['up_axis'] = self.given_up_axis
        for transform in self.pipeline:
            sample = transform(sample)
        return sample

    @torch.no_grad()
    def forward(self, inputs: dict, clouds: bool = False, **kwargs: Any) -> list:
        """Return the samples of a batch with ``pred_score``, ``pred_label``, ``feat`` (D,) and,
        with ``clouds``, the ``points`` (N, 3) that the model saw.
        """
        data = self.model.data_preprocessor(inputs, False)
        _, out = self.model.extract(data['inputs'])
        samples = self.model.head.predict(out.logits, data['data_samples'])
        for sample, feat in zip(samples, out.feat):
            sample.set_field(feat, 'feat')
        if clouds:
            for sample, points in zip(samples, data['inputs']['points']):
                sample.set_field(points[:, :3], 'points')
        return [sample.cpu() for sample in samples]

    def visualize(self, inputs: list, preds: list, **kwargs: Any) -> None:
        """Nothing is drawn."""

    def postprocess(
        self,
        preds: list,
        visualization: Any = None,
        return_datasamples: bool = False,
        topk: int = 1,
        features: bool = False,
    ) -> dict[str, list]:
        """Return ``predictions``, in the order of the inputs, and ``failed``.

        Args:
            preds: Samples, in any order.
            visualization: None.
            return_datasamples: Return the samples instead of dicts.
            topk: How many classes to name.
            features: Whether a dict holds the ``feature`` (D,) that the last layer sees.

        Returns:
            ``predictions``: dicts with ``name``, ``label``, ``class``, ``score`` and ``top``, the
            pairs (class, score) of the most probable classes; with ``clouds=True`` in the call also
            ``points`` (N, 3), the array that the model saw. ``failed``: dicts with ``name`` and
            ``reason``.
        """
        ordered = sorted(preds, key=lambda sample: sample.sample_idx)
        failed = [dict(name=name, reason=reason) for name, reason in self.failed.items()]
        if return_datasamples:
            return dict(predictions=ordered, failed=failed)
        found = []
        for sample in ordered:
            values, index = sample.pred_score.topk(min(topk, len(self.classes)))
            top = [(self.classes[i], v) for i, v in zip(index.tolist(), values.tolist())]
            row = dict(name=sample.sample_id, label=int(index[0]), score=top[0][1], top=top) | {
                'class': top[0][0]
            }
            row |= dict(feature=sample.feat.tolist()) if features else {}
            found.append(row | (dict(points=sample.points.numpy()) if 'points' in sample else {}))
        return dict(predictions=found, failed=failed)
