"""Checks of arguments that many parts share."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any


def check_choice(name: str, value: object, choices: Collection) -> None:
    """Raise ``ValueError`` unless ``value`` is one of ``choices``."""
    if value not in choices:
        # only here: kernels use this file, and they need no mmengine
        from pcdet_kd.registry import did_you_mean

        known = ', '.join(map(repr, choices))
        raise ValueError(
            f'{name} is {value!r}, must be one of {known}.{did_you_mean(str(value), choices)}'
        )


def check_at_least(name: str, value: float, least: float = 1) -> None:
    """Raise ``ValueError`` unless ``value`` is ``least`` or more."""
    if value < least:
        raise ValueError(f'{name} is {value}, must be at least {least}')


def check_one_per(owner: str, each: str, **lists: Sequence) -> None:
    """Raise ``ValueError`` unless the lists, given by their names, have one item per ``each``: are
    equally long, and not empty. ``owner`` is whose arguments they are.
    """
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1 or 0 in lengths:
        found = ', '.join(f'{len(values)} {name}' for name, values in lists.items())
        raise ValueError(f'{owner}: {found}: give one of each per {each}')


def from_preset(name: str, preset: str, presets: Mapping[str, Mapping], **given: Any) -> dict:
    """Return the values of ``presets[preset]``, and of ``given`` those that are not None instead.

    Raises:
        ValueError: There is no such preset; the argument is called ``name``.
    """
    check_choice(name, preset, presets)
    return {
        **presets[preset],
        **{key: value for key, value in given.items() if value is not None},
    }
