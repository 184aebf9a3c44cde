"""Stack samples to a batch, in the loader's worker."""

import torch

from pcdet_kd.registry import FUNCTIONS

_ONE_SIZE = (
    ': a model takes clouds of one size. Sample them to one size in the pipeline, with '
    "RandomPoints, FarthestPoints or FirstPoints (num_points=..., on_short='resample'); or, to "
    "evaluate whole clouds, give the loader batch_sampler=dict(type='SameSizeBatchSampler')"
)


@FUNCTIONS.register_module()
def collate_points(batch: list[dict]) -> dict:
    """Stack the packed samples of a batch.

    Args:
        batch: Dicts with ``inputs`` (tensors by name) and ``data_samples`` (a
            :class:`PointDataSample`).

    Returns:
        ``inputs``: every input stacked to (B, ...). ``data_samples``: the list of samples.

    Raises:
        ValueError: The samples differ in their inputs' names, or in the shape of an input: the
            clouds have different numbers of points, for example.
    """
    samples = [item['data_samples'] for item in batch]
    first = batch[0]['inputs']
    for item, sample in zip(batch, samples):
        if item['inputs'].keys() != first.keys():
            raise ValueError(
                f"sample '{sample.get('sample_id')}' has inputs {sorted(item['inputs'])} but "
                f"'{samples[0].get('sample_id')}' has {sorted(first)}"
            )
        for name, value in item['inputs'].items():
            if value.shape != first[name].shape:
                raise ValueError(
                    f"input '{name}' has shape {tuple(value.shape)} in sample "
                    f"'{sample.get('sample_id')}' but {tuple(first[name].shape)} in "
                    f"'{samples[0].get('sample_id')}'{_ONE_SIZE if name == 'points' else ''}"
                )
    inputs = {name: torch.stack([item['inputs'][name] for item in batch]) for name in first}
    return dict(inputs=inputs, data_samples=samples)
