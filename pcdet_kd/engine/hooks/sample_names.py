"""What the training samples are called."""

from typing import Any

from mmengine.hooks import Hook

from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.registry import HOOKS


@HOOKS.register_module()
class SampleNamesHook(Hook):
    """Tells parts of the model that keep something of each training sample, such as the memory of
    CRD, which samples there are.

    It is there by default. Parts with ``set_samples(names)`` get the ``sample_id`` of every sample
    of the training data before training, after a checkpoint was read.
    """

    def before_train(self, runner: Any) -> None:
        parts = [part for part in runner.model.modules() if hasattr(part, 'set_samples')]
        if not parts:
            return
        names = [
            info['sample_id']
            for dataset in leaf_datasets(runner.train_dataloader.dataset)
            for info in dataset.data_list
        ]
        for part in parts:
            part.set_samples(names)
