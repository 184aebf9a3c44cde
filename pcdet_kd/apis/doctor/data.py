"""Which data sets are there, whether they are whole, and what is in them."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from pcdet_kd.apis.doctor.clouds import Clouds, look_at
from pcdet_kd.apis.doctor.data_files import check_files
from pcdet_kd.apis.doctor.layouts import Place, find_places
from pcdet_kd.apis.doctor.report import Report
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.files import require_directory
from pcdet_kd.datasets.modelnet40_resampled import ModelNet40Resampled
from pcdet_kd.datasets.point_cloud_folder import PointCloudFolder
from pcdet_kd.datasets.point_store import PointStore
from pcdet_kd.datasets.published import PUBLISHED
from pcdet_kd.datasets.readers import read_points
from pcdet_kd.datasets.shapenet_part import ShapeNetPart
from pcdet_kd.engine.hooks.seed import leaf_datasets
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError, UserError
from pcdet_kd.utils.progress import progress_bar

_LOADERS = dict(train='train_dataloader', val='val_dataloader', test='test_dataloader')


def check_data(root: str | os.PathLike = 'data', quick: bool = False) -> Report:
    """Look at all data sets in a folder, or at the one that the folder is.

    Args:
        root: The folder.
        quick: Look at the files only, not at what is in them.

    Returns:
        For each data set its files, clouds, classes, scale and duplicates; what is missing or
        damaged as findings.
    """
    report = Report(f'Data in {root}', next='pcdet-kd doctor config CONFIG')
    try:
        folder = require_directory(root, 'data sets', 'give the folder where they are')
        places = find_places(folder)
    except DataError as error:
        report.add_error(error)
        return report
    for place in places:
        _check_place(place, report, quick)
    if [place.kind for place in places] == [PointCloudFolder.__name__]:
        report.next = f'pcdet-kd train --data {places[0].root} --model pointnext_s --up-axis AXIS'
    if not places:
        text = 'no data set with a known layout, and no folder of clouds per class'
        report.add('broken', folder, text, 'docs/en/datasets.md shows the layouts')
    elif [place.root for place in places] != [folder]:
        _say_absent(places, report)
    return report


def check_data_of_config(cfg: Config, name: str) -> Report:
    """Look at the data that a config trains, validates and tests on.

    Args:
        cfg: The config.
        name: What to call it.

    Returns:
        As :func:`check_data`, by data loader.
    """
    report, found = Report(f'Data of {name}', next=f'pcdet-kd doctor config {name}'), {}
    for split, key in _LOADERS.items():
        loader = cfg.get(key)
        if not isinstance(loader, Mapping):
            continue
        try:
            data = DATASETS.build(_without_pipeline(loader['dataset']))
            for number, leaf in enumerate(leaf_datasets(data)):
                title = f'{split} {number + 1}' if number else split
                if isinstance(leaf, PointCloudDataset):
                    found[title] = look_at(leaf, f'{title} clouds')
        except (UserError, ValueError) as error:
            report.add_error(error, key)
    report.sections['Clouds'] = facts = {}
    _report_clouds(facts, name, found, report)
    return report


def _check_place(place: Place, report: Report, quick: bool) -> None:
    facts: dict[str, Any] = dict(data_set=place.title, read_by=place.kind)
    if place.published:
        facts |= dict(published=place.published.page, terms=place.published.terms)
    report.sections[str(place.root)] = facts
    facts.update(check_files(place, report))
    if quick:
        return
    found: dict[str, Clouds] = {}
    with tempfile.TemporaryDirectory() as cache:
        for split, arguments in place.splits.items():
            try:
                data = _build(place, arguments, cache)
                found[split] = look_at(data, f'{place.root.name} {split}')
            except (DataError, ValueError) as error:
                _add_once(error, place, report)
        if place.others:
            facts['corrupted_sets'] = _read_others(place, report)
    if place.kind == PointCloudFolder.__name__:
        for clouds in found.values():
            clouds.facts['up_axis'] = 'not known'
    _report_clouds(facts, str(place.root), found, report)
    _compare_counts(place, found, report)


def _compare_counts(place: Place, found: dict[str, Clouds], report: Report) -> None:
    wanted = place.published.counts if place.published else {}
    sizes = {split: clouds.facts['clouds'] for split, clouds in found.items()}
    other = [
        f'{size:,} clouds in {split}, {wanted[split]:,} are published'
        for split, size in sizes.items()
        if wanted.get(split, size) != size
    ]
    if other:
        report.add('warning', place.root, '; '.join(other))


def _build(place: Place, arguments: Mapping[str, Any], cache: str) -> PointCloudDataset:
    cfg = dict(arguments, type=place.kind, data_root=str(place.root))
    kind = DATASETS.get(place.kind)
    if not issubclass(kind, PointStore):
        cfg['allow_degenerate'] = True
    if issubclass(kind, (ModelNet40Resampled, ShapeNetPart)) and not os.access(place.root, os.W_OK):
        cfg['cache_dir'] = cache  # else the arrays that they parse are kept for training
    return DATASETS.build(cfg)


def _add_once(error: Exception, place: Place, report: Report) -> None:
    """Report an error unless its file is reported already; of own files, all that are broken."""
    if isinstance(error, DataError) and place.kind == PointCloudFolder.__name__:
        for file in progress_bar(place.files(), desc='Looking for broken files', disable=None):
            try:
                read_points(file)
            except DataError as one:
                _add(one, place, report)
    _add(error, place, report)


def _add(error: Exception, place: Place, report: Report) -> None:
    about = str(error.args[0]) if isinstance(error, DataError) else str(place.root)
    said = {finding.about for finding in report.findings if finding.level == 'broken'}
    is_missing = str(place.root) in said and not Path(about).exists() and ', sample' not in about
    if about not in said and not is_missing:
        report.add_error(error, place.root)


def _read_others(place: Place, report: Report) -> str:
    good = 0
    for arguments in progress_bar(place.others, desc=place.root.name, unit='set', disable=None):
        try:
            _build(place, arguments, '')
            good += 1
        except (DataError, ValueError) as error:
            _add(error, place, report)
    return f'{good} of {len(place.others)} can be read'


def _report_clouds(
    facts: dict[str, Any], about: str, found: dict[str, Clouds], report: Report
) -> None:
    """Add the facts of each split, and findings on clouds that occur twice."""
    if found:
        facts['splits'] = {
            split: {
                'clouds': clouds.facts['clouds'],
                'occur_twice': len(clouds.twice()),
                **clouds.facts,
            }
            for split, clouds in found.items()
        }
    for split, clouds in found.items():
        _report_twice(split, clouds, about, report)
        if clouds.degenerate:
            names = ', '.join(clouds.degenerate[:3])
            text = f'{len(clouds.degenerate)} clouds of {split} have no extent or lie beyond 1e9'
            fix = 'remove or repair them, or pass allow_degenerate=True'
            report.add('broken', about, f'{text}: {names}', fix)
        if clouds.empty:
            names = ', '.join(clouds.empty[:5]) + (', ...' if len(clouds.empty) > 5 else '')
            text = f'{len(clouds.empty)} classes have no cloud in {split}: {names}'
            report.add('warning', about, text)
    for split, other in _pairs(found):
        both = found[split].in_common(found[other])
        if both:
            text = (
                f'{len(both)} clouds of {split} are also in {other}, such as {both[0][0]} '
                f'({both[0][1]} there)'
            )
            report.add('warning', about, text, f'leave them out of {other} or of {split}')


def _report_twice(split: str, clouds: Clouds, about: str, report: Report) -> None:
    pairs = clouds.twice()
    if not pairs:
        return
    place = {name: i for i, name in enumerate(clouds.ids)}
    differ = [p for p in pairs if clouds.labels[place[p[0]]] != clouds.labels[place[p[1]]]]
    text = f'{len(pairs)} clouds of {split} occur twice, such as {pairs[0][0]} and {pairs[0][1]}'
    if differ:
        text += f'; {len(differ)} of them under two classes: {differ[0][0]} and {differ[0][1]}'
    report.add('warning' if differ else 'note', about, text)


def _pairs(found: dict[str, Clouds]) -> Iterator[tuple[str, str]]:
    """Yield each test or validation part with the training part that belongs to it."""
    for split in found:
        for end in ('test', 'val'):
            if split.split()[-1] == end:
                other = f'{split.removesuffix(end)}train'
                if other in found:
                    yield split, other


def _say_absent(places: list[Place], report: Report) -> None:
    there = {id(place.published) for place in places}
    absent = [name for name, entry in PUBLISHED.items() if entry.kind and id(entry) not in there]
    if absent:
        text = f'known data sets that are not here: {", ".join(absent)}'
        report.add('note', '', text, 'pcdet-kd download NAME, or pcdet-kd download --list')


def _without_pipeline(dataset: Any) -> Any:
    """Return a data set's config, and of all that it wraps, without transforms."""
    if isinstance(dataset, Mapping):
        return {
            key: () if key == 'pipeline' else _without_pipeline(value)
            for key, value in dataset.items()
        }
    if isinstance(dataset, list):
        return [_without_pipeline(item) for item in dataset]
    return dataset
