"""Stages that several configs share: each is trained once, in a directory named by what it is."""

import copy
import hashlib
import json
from pathlib import Path

from mmengine.config import Config

from pcdet_kd.engine.config_reader import read_config, variables_of
from pcdet_kd.engine.stage_record import flat_config
from pcdet_kd.engine.stages import Stage, placeholders
from pcdet_kd.utils.student import is_distiller, student_config

_DIGITS = 10


def share_stages(stages: list[Stage], root: str | Path) -> list[Stage]:
    """Let each stage train in a directory of ``root`` that is named by its model, its seed and a
    hash of all that its run and its test depend on, earlier stages included.

    Two stages of any configs that would train the same model in the same way on the same data have
    one directory: the second finds the first finished. A stage with other options has another one.

    Args:
        stages: As :func:`~pcdet_kd.engine.stages.plan` returns them; changed in place.
        root: Where these directories are.

    Returns:
        The stages.
    """
    for stage in stages:
        folder = Path(root) / f'{_words(stage.cfg)}_{_digest(stage)}'
        stage.work_dir, stage.cfg.work_dir = folder, str(folder)
    return stages


def needed_by(stage: Stage) -> list[Stage]:
    """Return a stage and all that it requires, in the order of training, the stage itself last."""
    found = []

    def visit(each: Stage) -> None:
        for required in each.requires.values():
            visit(required)
        if each not in found:
            found.append(each)

    visit(stage)
    return found


def names_in(config: str | Path) -> tuple[set[str], set[str]]:
    """Return what a config calls the stages that it requires, and the variables of it and of them;
    what they require counts too.
    """
    required = read_config(Path(config)).get('requires') or {}
    names, variables = set(required), variables_of(config)
    for file in set(required.values()):
        more_names, more_variables = names_in(file)
        names, variables = names | more_names, variables | more_variables
    return names, variables


def _words(cfg: Config) -> str:
    model = student_config(cfg.model)
    parts = [cfg.model.type] if is_distiller(cfg.model) or 'backbone' not in model else []
    parts += [model.backbone.type] if 'backbone' in model else []
    seed = (cfg.get('randomness') or {}).get('seed')
    return '_'.join([*map(str, parts), *([] if seed is None else [f'seed{seed}'])])


def _digest(stage: Stage) -> str:
    cfg = copy.deepcopy(stage.cfg)
    for _, node, key, name in placeholders(cfg):
        node[key] = f'stage in {stage.requires[name].work_dir.name}'
    flat = flat_config(cfg)
    # of equal runs with other test sets, each has its own test results
    data = (cfg.get('test_dataloader') or {}).get('dataset')
    test = dict(data=data, evaluator=cfg.get('test_evaluator'))
    flat['test'] = json.dumps(flat_config(Config(dict(model=test))), sort_keys=True)
    text = json.dumps(flat, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
