"""Probes of a backbone while it is pre-trained."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from pcdet_kd.evaluation.backbone_features import backbone_features
from pcdet_kd.evaluation.feature_probe import METHODS, check_methods, probe_features
from pcdet_kd.registry import DATASETS, HOOKS
from pcdet_kd.utils.arguments import check_at_least
from pcdet_kd.utils.student import backbone_of


@HOOKS.register_module()
class FeatureProbeHook(Hook):
    """Every so many epochs, and after the last, logs how well a linear SVM and nearest neighbours
    tell classes by the features of the model's backbone: ``probe/svm`` and ``probe/knn``, in
    percent.

    The backbone is the one that is evaluated later: an EMA teacher's, if there is one. Training is
    not touched: no random number is drawn, no mode changes, and no epoch is chosen by the figures.
    Features and fits are computed in the main process.

    Args:
        interval: Epochs between two probes.
        train: Config of the data set that the methods are fitted to, without augmentation.
        test: Config of the data set that the accuracy is of.
        methods: ``'svm'`` (needs scikit-learn) and ``'knn'``.
        pool: As in :func:`~pcdet_kd.evaluation.backbone_features.backbone_features`.
        batch_size: Clouds at a time.
        num_workers: Processes that read the samples.
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int,
        train: Mapping,
        test: Mapping,
        methods: Sequence[str] = METHODS,
        pool: Sequence[str] | None = None,
        batch_size: int = 64,
        num_workers: int = 0,
    ) -> None:
        check_at_least('interval', interval)
        self.interval = interval
        self.configs = dict(train=dict(train), test=dict(test))
        self.methods = tuple(methods)
        self.settings = dict(pool=pool, batch_size=batch_size, num_workers=num_workers)
        self._data: dict[str, Any] = {}

    def before_train(self, runner: Any) -> None:
        check_methods(self.methods)
        backbone_of(runner.model)
        if is_main_process():
            self._data = {name: DATASETS.build(cfg) for name, cfg in self.configs.items()}

    def after_train_epoch(self, runner: Any) -> None:
        epoch = runner.epoch + 1
        due = epoch % self.interval == 0 or epoch == runner.max_epochs
        if not due or not is_main_process():
            return
        backbone = backbone_of(runner.model)
        train, test = (
            backbone_features(backbone, self._data[name], **self.settings)
            for name in ('train', 'test')
        )
        figures = probe_features(train, test, self.methods)
        runner.visualizer.add_scalars(
            {f'probe/{name}': value for name, value in figures.items()}, step=epoch
        )
        text = '  '.join(f'probe/{name}: {value:.2f}' for name, value in figures.items())
        clouds = f'{len(train.values):,} and {len(test.values):,} clouds'
        runner.logger.info(f'Epoch {epoch}: {text}  ({clouds})')
