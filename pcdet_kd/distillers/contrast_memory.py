"""The memory of CRD: an embedding of each training sample, of the student and of the teacher."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from mmengine.dist import all_gather, all_reduce, get_world_size
from mmengine.model import BaseModule
from torch import Tensor
from torch.nn import functional as F

from pcdet_kd.layers import at_least_float32
from pcdet_kd.losses.contrastive import contrast_log_odds, log_normalizer
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import PointDataSample


@MODELS.register_module()
class ContrastMemory(BaseModule):
    """A moving average of each training sample's two embeddings, all of length 1 (CRD; Tian et al.,
    ICLR 2020).

    A :class:`SampleNamesHook`, which is there by default, tells it the samples, so that it is as
    large as the data. It is in the checkpoint, so that runs resume exactly, and not in the exported
    student. In distributed training every process remembers the samples of all.

    Args:
        channels: Channels of the embeddings.
        negatives: K, how many other samples a sample is compared with. They are drawn from the
            samples of other classes; a sample without a label is compared with any other, and one
            whose label was not seen yet counts as one of another class. Where there are fewer than
            K of them, they are drawn with replacement.
        temperature: Of the cosines.
        momentum: Share of the old embedding when a sample is seen again.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        channels: int = 128,
        negatives: int = 16384,
        temperature: float = 0.07,
        momentum: float = 0.5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if negatives < 1 or not temperature > 0 or not 0 <= momentum < 1:
            raise ValueError(
                f'ContrastMemory: negatives={negatives}, temperature={temperature}, '
                f'momentum={momentum}; expected at least 1, above 0, and from 0 to below 1'
            )
        self.negatives = negatives
        self.temperature = temperature
        self.momentum = momentum
        self.register_buffer('student', torch.empty(0, channels))
        self.register_buffer('teacher', torch.empty(0, channels))
        self.register_buffer('labels', torch.empty(0, dtype=torch.int64))  # -1: not known
        self.register_buffer('log_z', torch.full((2,), math.nan))  # of the first batch
        self._rows = {}
        self._random_state = (0,)

    def set_samples(self, names: Sequence[str]) -> None:
        """Give each training sample a row, by its ``sample_id``.

        Raises:
            ValueError: The memory, read from a checkpoint, is one of other data.
        """
        count, channels = self.student.shape
        if count not in (0, len(names)):
            raise ValueError(
                f'the memory of CRD is one of {count} samples, the training data has {len(names)}: '
                'resume with the data that the run began with'
            )
        self._rows = {name: row for row, name in enumerate(names)}
        if count == 0:
            device, edge = self.student.device, math.sqrt(3 / channels)
            for seed, name in enumerate(('student', 'teacher')):
                drawn = torch.rand(
                    len(names), channels, generator=torch.Generator().manual_seed(seed)
                )
                setattr(self, name, ((2 * drawn - 1) * edge).to(device))
            self.labels = torch.full((len(names),), -1, device=device)

    def set_random_state(self, *numbers: int) -> None:
        """Let the next draw follow from these numbers (seed, iteration, rank) alone."""
        self._random_state = numbers

    def forward(
        self, student: Tensor, teacher: Tensor, samples: Sequence[PointDataSample]
    ) -> tuple[Tensor, Tensor]:
        """Compare embeddings with the memory, and, in training, remember them.

        Args:
            student: (B, channels), of length 1.
            teacher: (B, channels), of length 1.
            samples: B samples with ``sample_id``.

        Returns:
            Log-odds (B, 1 + K), see :func:`~pcdet_kd.losses.contrastive.contrast_log_odds`, of the
            student's embeddings against the teacher's memory, and the other way round. The first
            column is the sample itself.
        """
        rows = self._rows_of(samples)
        with torch.no_grad():
            known = [int(s.gt_label) if 'gt_label' in s else -1 for s in samples]
            labels = torch.tensor(known, device=rows.device)
            self.labels[rows] = labels
            chosen = torch.cat([rows[:, None], self._draw(rows, labels)], dim=1)
        found = []
        for own, memory in ((student, self.teacher), (teacher, self.student)):
            with torch.autocast(own.device.type, enabled=False):
                found.append((at_least_float32(own) @ memory.t()).gather(1, chosen))
        if self.log_z.isnan().any():
            first = [log_normalizer(s.detach(), len(self.labels), self.temperature) for s in found]
            self.log_z = torch.stack(first).float()
            all_reduce(self.log_z, 'mean')
        if self.training:
            self._remember(rows, labels, student.detach(), teacher.detach())
        odds = [
            contrast_log_odds(similarity, log_z, len(self.labels), self.temperature)
            for similarity, log_z in zip(found, self.log_z)
        ]
        return odds[0], odds[1]

    def _rows_of(self, samples: Sequence[PointDataSample]) -> Tensor:
        if not self._rows:
            raise ValueError(
                'the memory of CRD does not know the training samples: train with a Runner that '
                'has a SampleNamesHook, or call set_samples(names)'
            )
        if any('gt_score' in sample for sample in samples):
            raise ValueError(
                'CRD remembers single samples, and batch_augments has mixed them: remove '
                'batch_augments, or use another method'
            )
        names = [sample.get('sample_id') for sample in samples]
        unknown = [name for name in names if name not in self._rows]
        if unknown:
            raise ValueError(f"the memory of CRD has no sample '{unknown[0]}'")
        return torch.tensor([self._rows[name] for name in names], device=self.labels.device)

    def _draw(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Return the rows (B, K) of other samples. No global random numbers are used: with the loss
        weight 0 the student trains as without the method.
        """
        allowed = (self.labels != labels[:, None]) | (labels < 0)[:, None]
        allowed.scatter_(1, rows[:, None], False)
        fewest = int(allowed.sum(1).min())
        if fewest == 0:
            raise ValueError('CRD: there is no sample of another class to compare with')
        seed = int(np.random.SeedSequence(self._random_state).generate_state(1)[0])
        generator = torch.Generator(rows.device).manual_seed(seed)
        return torch.multinomial(
            allowed.float(), self.negatives, fewest < self.negatives, generator=generator
        )

    @torch.no_grad()
    def _remember(self, rows: Tensor, labels: Tensor, student: Tensor, teacher: Tensor) -> None:
        if get_world_size() > 1:
            parts = (rows, labels, student.float(), teacher.float())
            rows, labels, student, teacher = (torch.cat(all_gather(p)) for p in parts)
            self.labels[rows] = labels
        # of a sample that is in the batch twice, the last embedding counts, on any device
        rows, place = rows.unique(return_inverse=True)
        order = torch.arange(len(place), device=place.device)
        last = torch.zeros_like(rows).scatter_reduce(0, place, order, 'amax')
        for name, new in (('student', student), ('teacher', teacher)):
            memory = getattr(self, name)
            moved = memory[rows] * self.momentum + new[last].to(memory) * (1 - self.momentum)
            # a new tensor: the backward pass needs the old one
            setattr(self, name, memory.index_copy(0, rows, F.normalize(moved)))

    def fit_to(self, weights: Mapping[str, Tensor]) -> None:
        """Make room for the samples of a checkpoint, by its tensors, if it has none yet."""
        for name in ('student', 'teacher', 'labels'):
            own, stored = getattr(self, name), weights.get(name)
            if stored is not None and len(own) == 0 and stored.shape[1:] == own.shape[1:]:
                setattr(self, name, own.new_empty(stored.shape))
