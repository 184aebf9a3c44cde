"""Progress bars."""

import sys
from collections.abc import Iterable
from typing import Any

from mmengine.dist import is_main_process
from tqdm import tqdm

SECONDS_IN_A_FILE = 30.0


def progress_bar(items: Iterable | None = None, **options: Any) -> tqdm:
    """Return a progress bar of the main process, for what takes more than 1.5 seconds; where the
    standard error is a file, it writes a line every 30 seconds.

    Args:
        items: What to iterate over; None: the bar is updated by its owner.
        **options: Of :class:`tqdm.tqdm`.
    """
    interval = 0.2 if sys.stderr.isatty() else SECONDS_IN_A_FILE
    defaults = dict(disable=not is_main_process(), smoothing=0.05, mininterval=interval, delay=1.5)
    return tqdm(items, **{**defaults, **options})
