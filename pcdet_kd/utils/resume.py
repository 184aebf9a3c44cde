"""Which checkpoint of a work directory a run resumes from."""

import os
import re
from pathlib import Path

from mmengine.logging import print_log

from pcdet_kd.utils.checkpoint import checkpoint_damage


def find_resume(work_dir: str | os.PathLike) -> Path | None:
    """Return the newest whole checkpoint that a run left in its work directory, or None.

    ``last_checkpoint`` names the newest, but a run may have been killed before it was updated, and
    the directory may have been moved (only the file's name counts) or hold older files of an
    earlier run with more epochs: a file with a higher epoch counts only if it is also younger than
    the named one. Damaged files are skipped with a warning.
    """
    directory = Path(work_dir)

    def step(path: Path) -> int:
        return int(re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name)[1])

    def whole(path: Path) -> bool:
        damage = checkpoint_damage(path)
        if damage:
            print_log(f'{path} is skipped: {damage}', logger='current', level=30)
        return damage is None

    files = [p for p in directory.glob('*.pth') if re.fullmatch(r'(?:epoch|iter)_\d+\.pth', p.name)]
    pointer = directory / 'last_checkpoint'
    text = pointer.read_text(encoding='utf-8').strip() if pointer.is_file() else ''
    named = next((p for p in files if text and p.name == Path(text).name), None)
    if named and whole(named):
        files = [
            p
            for p in files
            if step(p) > step(named) and p.stat().st_mtime_ns >= named.stat().st_mtime_ns
        ]
    else:
        files, named = [p for p in files if p != named], None
    for path in sorted(files, key=lambda p: (p.stat().st_mtime_ns, step(p)), reverse=True):
        if whole(path):
            return path
    if named:
        return named
    last = directory / 'last.pth'
    return last if last.is_file() and whole(last) else None
