"""Files of ``torch.export``: written with a description, and run."""

import io
import os
from typing import Any

import torch
from torch import Tensor

from pcdet_kd.apis.export.description import Description
from pcdet_kd.apis.export.program import quiet
from pcdet_kd.ops.export import decompositions
from pcdet_kd.utils.checkpoint import CheckpointError, first_line

_PREFIX = 'pcdet_kd.'  # of the names of the description's entries
_KEYS = ('format', *Description.__dataclass_fields__)


def to_torch(program: torch.export.ExportedProgram, description: Description) -> bytes:
    """Return the content of a ``.pt2`` file that runs without this package, on PyTorch alone.

    Args:
        program: From :func:`~pcdet_kd.apis.export.program.trace`.
        description: Of the model; its entries are ``extra_files``.
    """
    content = io.BytesIO()
    with quiet(), torch.no_grad():
        plain = program.run_decompositions(decompositions())
        extra = {f'{_PREFIX}{k}': v for k, v in description.texts().items()}
        torch.export.save(plain, content, extra_files=extra)
    return content.getvalue()


class TorchModel:
    """A ``.pt2`` file. **Reading one can run code that it holds**: take files of your own only.

    Args:
        file: Path, or content.
        source: Name for messages.

    Attributes:
        description: What the file says about itself.

    Raises:
        CheckpointError: The file cannot be used, or does not describe itself.
    """

    def __init__(self, file: str | os.PathLike | bytes, source: str) -> None:
        extra: dict[str, Any] = {f'{_PREFIX}{key}': '' for key in _KEYS}
        place = io.BytesIO(file) if isinstance(file, bytes) else os.fspath(file)
        try:
            with quiet():
                program = torch.export.load(place, extra_files=extra)
        except Exception as error:  # a damaged archive fails in any way
            raise CheckpointError(
                f'{source} cannot be read by torch.export: {first_line(error)}. Export the model '
                'again'
            ) from error
        texts = {k.removeprefix(_PREFIX): v for k, v in extra.items() if v}
        self.description = Description.read(texts, source)
        self.module = program.module()

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map inputs (B, ...) to logits (B, K) and features (B, D)."""
        return self.module(inputs.cpu())
