"""Voting: the test-time augmentation of point-cloud classification."""

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.model import BaseTTAModel
from torch import Tensor, nn

from pcdet_kd.registry import MODELS
from pcdet_kd.structures import PointDataSample
from pcdet_kd.utils.student import student_of


@MODELS.register_module()
class VotingTTA(BaseTTAModel):
    """Average a trained classifier's scores over scaled copies of each cloud.

    Vote 0 sees the cloud as it is, every further vote the cloud times a random factor per axis. The
    factors depend only on (seed, sample, vote): not on batches, processes or the other votes. The
    scaled clouds are made on the model's device, so a test pipeline serves plain and voted tests
    alike. Further point channels (normals, heights) are left as they are.

    The data samples come back with the voted ``pred_score`` and ``pred_label``, and with
    ``plain_score`` (K,), the score of vote 0; those of a part segmentor with the voted
    ``part_score`` and ``pred_parts`` and with ``plain_part_score`` (N, P). :class:`PointAccuracy`
    and :class:`PartIoU` then report plain and voted numbers side by side. The number of votes is
    fixed in advance and the voting is done once: the protocol of RS-CNN's and PointCMT's code, the
    best of 300 repetitions as seen on the test labels, is selection on the test set. There (and in
    PointMLP's code) the factors also multiply up from vote to vote; here each vote scales the
    original cloud.

    The wrapper has no weights of its own: its ``state_dict`` is the module's.

    Args:
        module: The classifier, or its config.
        num_votes: Votes per cloud, vote 0 included.
        scale: Range of the uniform factors.
        seed: Of the factors.
        data_preprocessor: Overrides the module's, if ``module`` is a config.
    """

    def __init__(
        self,
        module: dict | nn.Module,
        num_votes: int = 10,
        scale: Sequence[float] = (0.85, 1.15),
        seed: int = 0,
        data_preprocessor: dict | None = None,
    ) -> None:
        if num_votes < 2:
            raise ValueError(
                f'num_votes is {num_votes}, must be at least 2: one vote is the plain test'
            )
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ValueError(f'scale is {tuple(scale)}, must be (low, high) with 0 < low <= high')
        if isinstance(module, dict):
            module = MODELS.build(
                {**module, 'data_preprocessor': data_preprocessor} if data_preprocessor else module
            )
        super().__init__(module)
        self.num_votes = num_votes
        self.scale = tuple(scale)
        self.seed = seed

    def test_step(self, data: dict) -> list[PointDataSample]:
        """Return the samples of a collated batch with plain and voted scores.

        Raises:
            ValueError: The model looks at images that the data set delivers, which scaled points
                would not change.
        """
        data = self.module.data_preprocessor.cast_data(data)  # to the device once, not once a vote
        inputs = dict(data['inputs'])
        looks_at = getattr(student_of(self.module), 'input_key', 'points')
        if looks_at != 'points' and looks_at in inputs:
            raise ValueError(
                f"voting scales points, but the model looks at '{looks_at}' as the data set "
                'delivers them: all '
                'votes would be the same. Test it without voting'
            )
        points = inputs['points']
        if not isinstance(points, Tensor):
            points = inputs['points'] = torch.stack(list(points))
        factors = self.factors([self._name(sample) for sample in data['data_samples']]).to(points)
        plain, total = [], []
        for vote in range(self.num_votes):
            if vote:
                xyz, others = points.split([3, points.shape[-1] - 3], dim=-1)
                inputs['points'] = torch.cat([xyz * factors[:, vote, None], others], dim=-1)
            predicted = self.module.test_step(
                dict(inputs=dict(inputs), data_samples=data['data_samples'])
            )
            scores = [_score(sample) for sample in predicted]  # at once: samples may be shared
            plain = plain or scores
            total = [a + b for a, b in zip(total, scores)] if total else scores
        for sample, alone, voted in zip(predicted, plain, total):
            self._set(sample, alone, voted / self.num_votes)
        return predicted

    def _set(self, sample: PointDataSample, plain: Tensor, voted: Tensor) -> None:
        if 'part_score' in sample:
            sample.set_field(plain, 'plain_part_score', dtype=Tensor)
            parts = student_of(self.module).class_parts[int(sample.gt_label)]
            sample.set_part_score(voted, parts)
        else:
            sample.set_field(plain, 'plain_score', dtype=Tensor)
            sample.set_pred_score(voted)

    def val_step(self, data: dict) -> list[PointDataSample]:
        """Vote in validation too."""
        return self.test_step(data)

    def factors(self, names: Sequence[str]) -> Tensor:
        """Return the factors (B, num_votes, 3) float32 of the named samples; those of vote 0 are
        1.
        """
        factors = np.ones((len(names), self.num_votes, 3), np.float32)
        for row, name in zip(factors, names):
            for vote in range(1, self.num_votes):
                rng = np.random.default_rng([self.seed, zlib.crc32(name.encode()), vote])
                row[vote] = rng.uniform(*self.scale, size=3)
        return torch.from_numpy(factors)

    @staticmethod
    def _name(sample: PointDataSample) -> str:
        name = sample.get('sample_id', sample.get('sample_idx'))
        if name is None:
            raise KeyError(
                "voting needs 'sample_id' or 'sample_idx' in every data sample: its random "
                'factors depend on it'
            )
        return str(name)

    def merge_preds(
        self, data_samples_list: Sequence[Sequence[PointDataSample]]
    ) -> list[PointDataSample]:
        """Not used: the votes are merged in :meth:`test_step`."""
        raise NotImplementedError('VotingTTA merges its votes in test_step')

    def state_dict(self, *args, **kwargs) -> dict:
        """Return the module's weights, under the module's own names."""
        return self.module.state_dict(*args, **kwargs)

    def load_state_dict(self, *args, **kwargs):
        """Load the module's weights."""
        return self.module.load_state_dict(*args, **kwargs)


def _score(sample: PointDataSample) -> Tensor:
    return sample.part_score if 'part_score' in sample else sample.pred_score
