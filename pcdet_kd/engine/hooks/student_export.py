"""The student alone, as a plain classifier's weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log

from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.checkpoint import load_checkpoint_file, save_checkpoint_file
from pcdet_kd.utils.stored_model import describe_model
from pcdet_kd.utils.student import is_distiller, student_config, student_weights


@HOOKS.register_module()
class StudentExportHook(Hook):
    """At the end of training, writes ``student_last.pth`` and ``student_best.pth`` beside
    ``last.pth`` and ``best.pth``.

    They hold what a plain classifier loads: ``state_dict`` with its keys, and ``meta`` with the
    student's config (if plain values can tell it), the classes, the epoch, and the scores at that
    epoch. Models that are no distillers are left alone. Files that are up to date are not written
    again, and a resumed run that is already complete writes the missing ones.
    """

    priority = 'LOWEST'

    def after_train(self, runner: Any) -> None:
        if not is_main_process() or not is_distiller(runner.model):
            return
        for name in ('last', 'best'):
            source = Path(runner.work_dir) / f'{name}.pth'
            if source.is_file():
                target = source.with_name(f'student_{name}.pth')
                if not target.is_file() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
                    save_checkpoint_file(
                        self.export(load_checkpoint_file(source), runner.cfg.get('model')), target
                    )
                    runner.logger.info(f'The student of {source.name} is written to {target}')

    @staticmethod
    def export(checkpoint: dict, model_cfg: Mapping | None = None) -> dict:
        """Return the student's checkpoint, made from a distiller's.

        Args:
            checkpoint: The distiller's checkpoint.
            model_cfg: The distiller's config, whose ``student`` goes into the meta.
        """
        meta = {
            k: v
            for k, v in checkpoint['meta'].items()
            if k in ('epoch', 'seed', 'classes', 'dataset_meta', 'scores')
        }
        if model_cfg is not None:
            try:
                meta['model'] = describe_model(student_config(model_cfg))
            except ValueError as problem:
                print_log(
                    f"The student's files do not describe their model ({problem}). Load them with "
                    'their config: init_model(CONFIG, FILE)',
                    logger='current',
                )
        return dict(meta=meta, state_dict=student_weights(checkpoint))
