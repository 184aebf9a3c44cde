"""What a checkpoint holds, and which models it fits."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pcdet_kd.apis.doctor.fit import count_parameters, fitting_models
from pcdet_kd.apis.doctor.report import Report
from pcdet_kd.apis.official import fitting_archs
from pcdet_kd.utils.checkpoint import (
    CheckpointError,
    load_checkpoint_file,
    load_weights,
    meta_of,
    weights_of,
)
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.files import file_sha256
from pcdet_kd.utils.foreign_checkpoint import read_foreign_checkpoint
from pcdet_kd.utils.stored_model import build_stored_model
from pcdet_kd.utils.student import student_weights

_SIMPLE = (str, int, float, bool)
_MOST_NAMES = 5


def check_ckpt(file: str | os.PathLike) -> Report:
    """Look into a checkpoint, of this project or of another one. No code in it can run.

    Args:
        file: The file.

    Returns:
        Its hash, what it says about itself, its weights by part, and the shipped models and
        published networks that they fit; damage and numbers that are not finite as findings.
    """
    path = Path(file).expanduser()
    report = Report(f'Checkpoint {file}')
    try:
        content, weights = _read(path, report)
    except UserError as error:
        report.add_error(error, file)
        return report
    report.sections['File'] = {'size_bytes': path.stat().st_size, 'SHA-256': file_sha256(path)}
    report.sections['What it says about itself'] = _said(content)
    report.sections['Besides the weights'] = _besides(content)
    report.sections['Weights'] = _about(weights)
    report.sections['By part'] = _by_part(weights)
    _check_numbers(weights, report)
    _check_fit(content, weights, path, report)
    return report


def _read(path: Path, report: Report) -> tuple[Any, dict[str, Tensor]]:
    """Return a file's content and the weights in it; a file of another project is read by the
    reader for those.
    """
    if path.suffix != '.safetensors':
        try:
            content = load_checkpoint_file(path)
            return content, weights_of(content, str(path))
        except CheckpointError:
            if not path.is_file():
                raise
    found = read_foreign_checkpoint(path)
    if found.inert:
        names = ', '.join(found.inert[:_MOST_NAMES])
        report.add('note', '', f'Python objects in the file were not read: {names}')
    return found.weights, found.weights


def _said(content: Any) -> dict[str, Any]:
    """Return what a checkpoint's ``meta`` says, in short."""
    meta = meta_of(content) if _has_meta(content) else {}
    facts: dict[str, Any] = {}
    for key, value in meta.items():
        if isinstance(value, _SIMPLE) and '\n' not in str(value) and len(str(value)) < 100:
            facts[key] = value
        elif key in ('scores', 'versions') and isinstance(value, Mapping):
            facts[key] = {str(name): of for name, of in value.items() if isinstance(of, _SIMPLE)}
    data = meta.get('dataset_meta')
    data = data if isinstance(data, Mapping) else {}
    classes = data.get('classes') or meta.get('classes')
    if classes and isinstance(classes, (list, tuple)):
        names = ', '.join(map(str, classes[:_MOST_NAMES]))
        more = ', ...' if len(classes) > _MOST_NAMES else ''
        facts['classes'] = f'{len(classes)}: {names}{more}'
    if data.get('up_axis'):
        facts['up_axis'] = str(data['up_axis'])
    if isinstance(meta.get('model'), Mapping):
        model = meta['model']
        backbone = model.get('backbone')
        parts = [model.get('type'), backbone.get('type') if isinstance(backbone, Mapping) else '']
        facts['model'] = ' with '.join(str(part) for part in parts if part)
    if isinstance(meta.get('cfg'), str):
        facts['config'] = f'{len(meta["cfg"].splitlines())} lines'
    return facts


def _besides(content: Any) -> dict[str, Any]:
    """Return what else a checkpoint holds, such as the optimiser's state."""
    facts: dict[str, Any] = {}
    if not isinstance(content, Mapping) or all(isinstance(v, Tensor) for v in content.values()):
        return facts
    optimizer = content.get('optimizer')
    if isinstance(optimizer, Mapping) and isinstance(optimizer.get('state'), Mapping):
        tensors = [
            value
            for state in optimizer['state'].values()
            if isinstance(state, Mapping)
            for value in state.values()
            if isinstance(value, Tensor)
        ]
        facts['optimizer'] = f'state of {len(optimizer["state"])} parameters'
        facts['optimizer_state_bytes'] = sum(t.numel() * t.element_size() for t in tensors)
        groups = optimizer.get('param_groups')
        groups = groups if isinstance(groups, list) else []
        rates = {group.get('lr') for group in groups if isinstance(group, Mapping)}
        facts['learning_rate'] = [rate for rate in rates if isinstance(rate, float)]
    others = [
        str(key)
        for key, value in content.items()
        if key not in ('meta', 'optimizer') and not _is_weights(value)
    ]
    facts['other_entries'] = others
    return facts


def _is_weights(value: Any) -> bool:
    return isinstance(value, Mapping) and any(isinstance(v, Tensor) for v in value.values())


def _about(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    types = Counter(str(v.dtype).removeprefix('torch.') for v in weights.values())
    return dict(
        tensors=len(weights),
        parameters=count_parameters(weights),
        numbers=sum(v.numel() for v in weights.values()),
        types={name: f'in {count}' for name, count in types.most_common()},
    )


def _by_part(weights: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """Return a row per part of the model: the first word of the names, and the second too where
    the first is that of all or names a student or a teacher.
    """
    first = {key.split('.')[0] for key in weights}
    depth = 2 if len(first) == 1 or first & {'student', 'teacher', 'teachers'} else 1
    parts: dict[str, list[Tensor]] = {}
    for key, value in weights.items():
        parts.setdefault('.'.join(key.split('.')[:depth]), []).append(value)
    return [
        dict(part=name, tensors=len(values), numbers=sum(v.numel() for v in values))
        for name, values in parts.items()
    ]


def _check_numbers(weights: Mapping[str, Tensor], report: Report) -> None:
    bad = [key for key, v in weights.items() if v.is_floating_point() and not _is_finite(v)]
    if bad:
        names = ', '.join(bad[:_MOST_NAMES]) + (', ...' if len(bad) > _MOST_NAMES else '')
        text = f'{len(bad)} of {len(weights)} tensors hold NaN or infinity: {names}'
        report.add('broken', '', text, 'take an earlier checkpoint')


def _is_finite(value: Tensor) -> bool:
    # the smallest types have no isfinite of their own
    return bool((value.float() if value.element_size() == 1 else value).isfinite().all())


def _check_fit(content: Any, weights: Mapping[str, Tensor], path: Path, report: Report) -> None:
    student = student_weights(weights, str(path))
    facts: dict[str, Any] = {}
    described = meta_of(content).get('model') if _has_meta(content) else None
    if described is not None:
        try:
            load_weights(build_stored_model(described, student, str(path)), student)
            facts['the_model_it_describes'] = 'fits'
        except CheckpointError as error:
            facts['the_model_it_describes'] = 'does not fit'
            report.add_error(error)
    models, published = fitting_models(student), fitting_archs(dict(weights))
    more = f' and {len(models) - _MOST_NAMES} more' if len(models) > _MOST_NAMES else ''
    facts['shipped_models'] = (', '.join(models[:_MOST_NAMES]) + more) or 'none'
    facts['published_networks'] = ', '.join(published) or 'none'
    report.sections['Fits'] = facts
    configs = sorted(path.parent.glob('*.py'))
    if published and not models:
        report.next = f'pcdet-kd from-official {path} OUT.pth --arch {published[0]}'
    elif len(configs) == 1 or models:
        config = configs[0] if len(configs) == 1 else models[0]
        report.next = f'pcdet-kd test {config} {path}'


def _has_meta(content: Any) -> bool:
    return isinstance(content, Mapping) and isinstance(content.get('meta'), Mapping)
