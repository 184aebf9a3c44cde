"""What exported models are called: the format says the name, and the name says the format."""

import os
from pathlib import Path

ENDS = dict(onnx='.onnx', torch='.pt2', safetensors='')  # a folder may have any other name
CONFIG = 'config.json'  # of a folder


def format_of(path: str | os.PathLike) -> str:
    """Return the format of an exported file or folder with this name."""
    end = Path(path).suffix
    return next((name for name, known in ENDS.items() if known == end), 'safetensors')


def is_exported(path: str | os.PathLike) -> bool:
    """Whether a path is that of an exported file (there or not), or a folder with an exported
    model.
    """
    return format_of(path) != 'safetensors' or (Path(path).expanduser() / CONFIG).is_file()
