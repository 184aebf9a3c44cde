"""The record of a training run, by which a later one knows whether its result can be reused."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from pcdet_kd.datasets.read_once import Files
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import file_sha256, write_whole

# What may change between two runs without making them different experiments.
_IRRELEVANT = (
    'work_dir',
    'resume',
    'launcher',
    'log_level',
    'visualizer',
    'vis_backends',
    'log_processor',
    'experiment_name',
    'requires',
    'default_hooks',
    'env_cfg',
    'voting',
    'corruptions',
    'test_dataloader',
    'test_evaluator',
    'test_cfg',
)
_IRRELEVANT_ENDS = (
    'num_workers',
    'persistent_workers',
    'pin_memory',
    'prefetch_factor',
    'cache_dir',
    'non_blocking',
    'out_dir',
    'data_root',
    'views_root',
)  # the data's fingerprint says whether it is the same data
FILE = 'stage.json'


@dataclass
class StageRecord:
    """One stage's state.

    Attributes:
        config: What was trained, by dotted path; weights of earlier stages stand there as hashes.
        data: Fingerprint of the training data.
        files: What it was read from, with sizes and times; see
            :mod:`pcdet_kd.datasets.read_once`.
        source: Config of the training data, places included.
        finished: Whether training ended by itself.
        weights: File name of the weights that later stages and reports use.
        weights_sha256: Its hash.
        results: Metrics on the test split by selection (``last``, ``best``).
        test_samples: Clouds of the test split.
        extended_at: Epochs after which the run went on with the schedule of ``config``; 0: it had
            this one from the start.
    """

    config: dict[str, str]
    data: str = ''
    files: Files = field(default_factory=dict)
    source: str = ''
    finished: bool = False
    weights: str = ''
    weights_sha256: str = ''
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    test_samples: int = 0
    extended_at: int = 0

    @classmethod
    def read(cls, work_dir: Path) -> 'StageRecord | None':
        """Return the record of a work directory, or None."""
        file = work_dir / FILE
        if not file.is_file():
            return None
        try:
            return cls(**json.loads(file.read_text(encoding='utf-8')))
        except (ValueError, TypeError, RecursionError) as error:
            fix = f'delete {work_dir} to train this stage again'
            raise DataError(file, str(error), 'the record of a training run', fix) from None

    def write(self, work_dir: Path) -> None:
        """Write the record atomically."""
        write_whole(work_dir / FILE, json.dumps(asdict(self), indent=1))

    def differences(self, other: 'StageRecord') -> list[str]:
        """Return ``path: old -> new`` for each difference in config or data, at most five and a
        count.
        """
        keys = sorted(
            k
            for k in self.config.keys() | other.config.keys()
            if self.config.get(k) != other.config.get(k)
        )
        lines = [
            f'{k}: {self.config.get(k, "not set")} -> {other.config.get(k, "not set")}'
            for k in keys[:5]
        ]
        if len(keys) > 5:
            lines.append(f'and {len(keys) - 5} more')
        if self.data and other.data and self.data != other.data:
            lines.append('the training data')
        return lines


def flat_config(cfg: Config) -> dict[str, str]:
    """Return the part of a config that defines the experiment, by dotted path."""
    flat = {}

    def visit(node: Any, path: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if not (path == '' and key in _IRRELEVANT) and key not in _IRRELEVANT_ENDS:
                    visit(value, f'{path}.{key}' if path else str(key))
        elif isinstance(node, (list, tuple)) and any(
            isinstance(v, (dict, list, tuple)) for v in node
        ):
            for i, value in enumerate(node):
                visit(value, f'{path}.{i}')
        else:
            flat[path] = _name_of(node, path.endswith('.checkpoint'))

    from pcdet_kd.engine.config_check import TOP_LEVEL_KEYS

    resumed = {'load_from'} if cfg.get('resume') else set()
    visit({k: v for k, v in cfg._cfg_dict.items() if k in TOP_LEVEL_KEYS - resumed}, '')
    return flat


def _name_of(value: Any, is_weights: bool = False) -> str:
    """Text of a leaf value; a local file of weights stands for its content."""
    if (
        isinstance(value, str)
        and (is_weights or value.endswith(('.pth', '.pt', '.safetensors')))
        and os.path.isfile(value)
    ):
        return f'sha256:{file_sha256(value)[:16]}'
    if isinstance(value, type) or callable(value):
        return f'{value.__module__}.{value.__qualname__}'
    return repr(value)
