"""How a distillation run ends: teacher, student alone, distilled student, and plain words."""

from pcdet_kd.engine.stage_record import StageRecord, flat_config
from pcdet_kd.engine.stages import Stage, baseline_of
from pcdet_kd.engine.summary import OA, verdict
from pcdet_kd.utils.student import is_distiller


def baseline_in(stages: list[Stage]) -> Stage | None:
    """Return the stage that trained the distiller's student alone: one of the stages, or a run
    that ``--with-baseline`` left earlier and that still fits the config; None if there is none.

    Args:
        stages: Finished, the distiller's own last.
    """
    leaf = stages[-1]
    if len(stages) > 1 and stages[-2].name == f'{leaf.name}_baseline':
        return stages[-2]
    if not is_distiller(leaf.cfg.model):
        return None
    stage = baseline_of(leaf, inside=(leaf.work_dir / 'stages').is_dir())
    record = StageRecord.read(stage.work_dir)
    if record is None or not record.finished:
        return None
    wanted = StageRecord(flat_config(stage.resolved()), leaf.record.data)
    if record.differences(wanted):
        return None
    stage.record = record
    return stage


def outcome(stages: list[Stage]) -> list[str]:
    """Return what a distillation run reached, in sentences; nothing for other runs.

    Args:
        stages: Finished, the distiller's own last.
    """
    leaf = stages[-1]
    if not is_distiller(leaf.cfg.model) or _accuracy(leaf) is None:
        return []
    alone = baseline_in(stages)
    named = {stage.name: stage for stage in stages[:-1] if stage is not alone}
    named |= ({'student alone': alone} if alone else {}) | {'distilled student': leaf}
    known = {name: stage for name, stage in named.items() if _accuracy(stage) is not None}
    figures = [
        f'{name} {_accuracy(stage):.1f} (seed {stage.cfg.get("randomness", {}).get("seed")})'
        for name, stage in known.items()
    ]
    found = [f'OA at the last epoch, in %: {", ".join(figures)}.']
    if alone is None:
        found.append('The student alone is not known: add --with-baseline to see what it gains.')
        return found
    found.append(verdict(leaf, alone))
    found += [
        f'{name} is not better than the student alone: there is little to learn from it.'
        for name, stage in known.items()
        if stage not in (alone, leaf) and _accuracy(stage) <= _accuracy(alone)
    ]
    return found


def _accuracy(stage: Stage) -> float | None:
    return stage.record.results.get('last', {}).get(OA) if stage.record else None
