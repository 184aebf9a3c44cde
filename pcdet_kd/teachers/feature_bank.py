"""A teacher's outputs, computed once and looked up by sample."""

import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from torch.utils.data import DataLoader
from tqdm import tqdm

from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.registry import DATASETS, TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers.base import Teacher
from pcdet_kd.utils.checkpoint import load_checkpoint_file, save_checkpoint_file
from pcdet_kd.utils.files import remove_stale_temporaries, temporary_beside
from pcdet_kd.utils.hashing import content_sha256
from pcdet_kd.utils.progress import progress_bar

_CHUNK = 1024  # samples between two points from which an interrupted build can resume


@TEACHERS.register_module()
class FeatureBank(Teacher):
    """Outputs of a frozen teacher on fixed inputs, one per ``sample_id``.

    The teacher runs once, in eval mode, on every sample of ``data`` with the transforms given
    there; a student then trains without the teacher's cost. PointCMT does so: each shape has one
    constant image feature.

    The bank's key is a hash of the teacher's config and weights, the data and its transforms, so a
    bank that no longer fits is never read. A build that was interrupted resumes.

    Args:
        teacher: Config of the teacher that fills the bank.
        data: Configs of the data sets to run it on. Their transforms must not draw random numbers.
        path: The bank's file; by default next to the teacher's checkpoint, with the key in its
            name.
        batch_size: Samples the teacher sees at once.
        num_workers: Loader processes while filling.
    """

    keeps_stages = False

    def __init__(
        self,
        teacher: dict,
        data: list[dict],
        path: str | None = None,
        batch_size: int = 32,
        num_workers: int = 0,
    ) -> None:
        super().__init__()
        self.teacher_cfg = teacher
        self.data = [data] if isinstance(data, dict) else list(data)
        self.path = path
        self.batch_size = batch_size
        self.num_workers = num_workers
        self._rows = {}
        self.register_buffer('_logits', None, persistent=False)
        self.register_buffer('_feat', torch.empty(0), persistent=False)
        self._key = ''

    @property
    def feat_channels(self) -> int | None:
        """Width of the feature; None where the teacher's config does not tell."""
        if 'model' not in self.teacher_cfg:
            return None
        with torch.device('meta'):
            return getattr(TEACHERS.build(self.teacher_cfg), 'feat_channels', None)

    def init_weights(self) -> None:
        """Read the bank.

        Raises:
            FileNotFoundError: There is no bank, or it was built from other weights, data or
                transforms.
        """
        if self._rows:
            return
        _, datasets, key, path = self._prepare()
        if not path.exists():
            self._explain_missing(path)
        self._read(path, key, [info['sample_id'] for d in datasets for info in d.data_list])

    def pretend_trained(self) -> None:
        """Answer with the output for one sample, of a teacher that may not be trained yet."""
        teacher = TEACHERS.build(self.teacher_cfg)
        teacher.pretend_trained()
        teacher.init_weights()
        datasets = [DATASETS.build(cfg) for cfg in self.data]
        found = self._run(teacher, datasets[0], range(1), 'cpu', progress_bar(disable=True))
        self._rows = {info['sample_id']: 0 for d in datasets for info in d.data_list}
        device = self._feat.device
        self._logits = None if found['logits'] is None else found['logits'].to(device)
        self._feat = found['feat'].to(device)

    def build(self, device: str | torch.device = 'cpu') -> Path:
        """Fill the bank unless it is there and up to date, and return its file."""
        teacher, datasets, key, path = self._prepare()
        partial = path.with_name(path.name + f'.{key[:12]}.partial')
        _remove_abandoned(partial)
        if path.exists() and load_checkpoint_file(path).get('key') == key:
            print_log(f'feature bank {path}: up to date', logger='current')
            return path
        for dataset in datasets:
            first, again = (dataset.prepare_data(0)['inputs'] for _ in self._two_epochs(dataset))
            for name, value in first.items():
                if not torch.equal(value, again[name]):
                    raise ValueError(
                        f'feature bank: the transforms of {type(dataset).__name__} draw random '
                        'numbers (input '
                        f"'{name}' differs between two passes); a bank needs fixed inputs"
                    )
        teacher = teacher.to(device)
        partial.mkdir(parents=True, exist_ok=True)
        temporary_beside(partial / 'running').touch()
        parts = []
        total = sum(len(d) for d in datasets)
        with progress_bar(total=total, desc='feature bank', unit='sample') as bar:
            for d, dataset in enumerate(datasets):
                for start in range(0, len(dataset), _CHUNK):
                    stop = min(start + _CHUNK, len(dataset))
                    file = partial / f'{d}_{start}.pt'
                    if not file.exists():
                        save_checkpoint_file(
                            self._run(teacher, dataset, range(start, stop), device, bar), file
                        )
                    else:
                        bar.update(stop - start)
                    parts.append(load_checkpoint_file(file))
        whole = dict(key=key, ids=[i for part in parts for i in part['ids']])
        for name in ('logits', 'feat'):
            whole[name] = (
                torch.cat([part[name] for part in parts]) if parts[0][name] is not None else None
            )
        save_checkpoint_file(whole, path)
        shutil.rmtree(partial)
        return path

    def forward(self, inputs: dict, data_samples: list) -> ModelOutput:
        """Look the samples up.

        Raises:
            KeyError: A sample is not in the bank.
            ValueError: A sample is a mixture, of which the bank cannot know the output.
        """
        mixed = next((sample for sample in data_samples if 'gt_score' in sample), None)
        if mixed is not None:
            raise ValueError(
                f"sample '{mixed.get('sample_id')}' is mixed with another, but the feature bank "
                "holds the teacher's "
                'output for the cloud as it was. Leave batch_augments out, or give the teacher '
                'itself '
                "(type='FrozenTeacher')"
            )
        try:
            rows = [self._rows[sample.get('sample_id')] for sample in data_samples]
        except KeyError as error:
            raise KeyError(
                f'sample {error} is not in the feature bank ({len(self._rows)} samples). '
                "Add the data set it comes from to the bank's data=[...]"
            ) from None
        index = torch.tensor(rows, device=self._feat.device)
        logits = None if self._logits is None else self._logits[index]
        return ModelOutput(logits, self._feat[index])

    def weights_hash(self) -> str:
        return content_sha256([self._key, self._feat])

    @staticmethod
    def _two_epochs(dataset: Any) -> Any:
        for epoch in (0, 1):
            dataset.set_epoch(epoch)
            yield epoch
        dataset.set_epoch(0)

    def _prepare(self) -> tuple[Any, list, str, Path]:
        """Build teacher and data, and work out the bank's key and file."""
        teacher = TEACHERS.build(self.teacher_cfg)
        teacher.init_weights()
        datasets = [DATASETS.build(cfg) for cfg in self.data]
        transforms = [_without_places(cfg.get('pipeline', [])) for cfg in self.data]
        model_cfg = {k: v for k, v in self.teacher_cfg.items() if k not in ('checkpoint', 'prefix')}
        text = json.dumps([model_cfg, transforms], sort_keys=True, default=str)
        parts = [text, teacher.weights_hash(), *(d.fingerprint() for d in datasets)]
        key = content_sha256(parts)
        if self.path:
            return teacher, datasets, key, Path(self.path)
        checkpoint = self.teacher_cfg.get('checkpoint')
        if not checkpoint or '://' in checkpoint:
            raise ValueError(
                'FeatureBank needs path=..., because its teacher has no local checkpoint to lie '
                'next to'
            )
        return teacher, datasets, key, Path(checkpoint).parent / f'feature_bank_{key[:12]}.pt'

    def _run(self, teacher: Teacher, dataset: Any, indices: range, device: Any, bar: tqdm) -> dict:
        loader = DataLoader(
            torch.utils.data.Subset(dataset, indices),
            self.batch_size,
            num_workers=self.num_workers,
            collate_fn=collate_points,
        )
        ids, logits, feats = [], [], []
        for batch in loader:
            inputs = {name: value.to(device) for name, value in batch['inputs'].items()}
            out = teacher(inputs, batch['data_samples'])
            ids += [sample.get('sample_id') for sample in batch['data_samples']]
            logits.append(None if out.logits is None else out.logits.float().cpu())
            feats.append(out.feat.float().cpu())
            bar.update(len(batch['data_samples']))
        return dict(
            ids=ids, logits=None if logits[0] is None else torch.cat(logits), feat=torch.cat(feats)
        )

    def _read(self, path: Path, key: str, expected: list[str]) -> None:
        bank = load_checkpoint_file(path)
        if not isinstance(bank, dict) or bank.get('key') != key:
            raise FileNotFoundError(
                f'feature bank {path} is stale: the teacher, its weights, the data or the '
                f'transforms have changed since it was built. {_HOW_TO_BUILD}'
            )
        missing = set(expected) - set(bank['ids'])
        if missing:
            raise FileNotFoundError(
                f'feature bank {path} is partial: {len(missing)} of {len(expected)} samples are '
                'missing, '
                f"'{sorted(missing)[0]}' for one. {_HOW_TO_BUILD}"
            )
        self._rows = {sample_id: row for row, sample_id in enumerate(bank['ids'])}
        device = self._feat.device  # a Runner moves its model before it calls init_weights
        self._logits = None if bank['logits'] is None else bank['logits'].to(device)
        self._feat, self._key = bank['feat'].to(device), key
        print_log(
            f'feature bank {path}: {len(self._rows)} samples', logger='current', level=logging.INFO
        )

    @staticmethod
    def _explain_missing(path: Path) -> None:
        others = sorted(path.parent.glob('feature_bank_*.pt')) if path.parent.is_dir() else []
        stale = (
            f' ({", ".join(os.path.basename(o) for o in others)} there belongs to other '
            'weights, data or transforms)'
        )
        raise FileNotFoundError(f'no feature bank {path}{stale if others else ""}. {_HOW_TO_BUILD}')


def _remove_abandoned(partial: Path) -> None:
    """Remove what killed builds left beside a bank: temporary files, and parts of other banks that
    no process builds any more.
    """
    remove_stale_temporaries(partial.parent)
    for folder in partial.parent.glob('*.pt.*.partial'):
        remove_stale_temporaries(folder)
        if folder != partial and not any(folder.glob('.running.*')):
            shutil.rmtree(folder)


def _without_places(node: Any) -> Any:
    """Return a config without the folders that transforms read; what is in those counts through the
    data's fingerprint.
    """
    if isinstance(node, dict):
        return {
            key: _without_places(value)
            for key, value in node.items()
            if key not in ('views_root', 'cache_dir')
        }
    return [_without_places(value) for value in node] if isinstance(node, (list, tuple)) else node


_HOW_TO_BUILD = (
    'Build it with: pcdet-kd build-feature-bank CONFIG (pcdet-kd train does so by itself)'
)
