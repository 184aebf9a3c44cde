"""First weights of a backbone that was trained before."""

from typing import Any

from mmengine.logging import print_log
from mmengine.model import BaseModule, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from pcdet_kd.utils.checkpoint import CheckpointError, load_checkpoint_file, load_weights
from pcdet_kd.utils.student import backbone_weights

STAGE_PREFIX = 'stage:'


# In MMEngine's own registry, where modules look when they are initialised without a Runner.
@WEIGHT_INITIALIZERS.register_module()
class PretrainedBackbone:
    """Initialises a backbone with the weights of one that was trained before: the ``init_cfg`` of a
    backbone.

    Any checkpoint of this project will do: of a self-supervised run (the EMA teacher's backbone is
    taken), of a distiller (its student's), of a classifier of any classes, or of a backbone alone.
    Everything outside the backbone starts as it would without this.

    Args:
        checkpoint: File or URL. ``'stage:NAME'`` stands for the stage that the config's
            ``requires`` calls NAME.
    """

    def __init__(self, checkpoint: str | None = None) -> None:
        self.checkpoint = checkpoint

    def __call__(self, module: nn.Module) -> None:
        """Read the weights into a backbone; every key must fit.

        Raises:
            CheckpointError: There is no file, it is damaged, or its backbone is another one.
        """
        file = self.checkpoint
        if not file:
            raise CheckpointError(
                'there is no file of a trained backbone to start from: give it with '
                '--load-backbone FILE, or as checkpoint of PretrainedBackbone in the config'
            )
        if file.startswith(STAGE_PREFIX):
            raise CheckpointError(
                f"PretrainedBackbone: checkpoint '{file}' stands for a stage of the config's "
                'requires; tools/train.py trains it and puts its file here. To start from a file '
                'of your own, give --load-backbone FILE'
            )
        weights, part = backbone_weights(load_checkpoint_file(file), file)
        try:
            load_weights(module, weights, source=f'{part} in {file}')
        except CheckpointError as error:
            raise CheckpointError(f'{error}{_about_token(module, weights)}') from None
        for child in list(module.modules())[1:]:
            if isinstance(child, BaseModule):
                child.is_init = True  # so that it does not initialise itself afterwards
        print_log(
            f'{type(module).__name__} starts from {part} in {file}: all {len(weights)} keys fit, '
            f'{sum(value.numel() for value in weights.values()):,} numbers. The rest of the model '
            'is fresh',
            logger='current',
        )
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'PretrainedBackbone: {part} in {file}')


def waits_for_stage(init_cfg: Any) -> bool:
    """Whether an ``init_cfg`` is a :class:`PretrainedBackbone` whose file is that of a stage."""
    return any(
        isinstance(cfg, dict)
        and cfg.get('type') in ('PretrainedBackbone', PretrainedBackbone)
        and str(cfg.get('checkpoint')).startswith(STAGE_PREFIX)
        for cfg in (init_cfg if isinstance(init_cfg, (list, tuple)) else [init_cfg])
    )


def _about_token(module: nn.Module, weights: dict[str, Tensor]) -> str:
    """Return a line on a class token that only the model or only the file has."""
    own = 'cls_token' in module.state_dict()
    if own == ('cls_token' in weights):
        return ''
    if own:
        return (
            '\n  The file has no class token (cls_token): that backbone was trained with '
            "class_token=False. Set class_token=False and pool=('mean', 'max') here too"
        )
    return (
        '\n  The file has a class token (cls_token), which a backbone with class_token=False '
        "cannot use. Set class_token=True; 'cls' may then be in pool or not"
    )
