"""From samples to a batch, in the loader's worker."""

from typing import Any

import torch

from pcdet_kd.registry import FUNCTIONS


@FUNCTIONS.register_module()
def collate_points(batch: list[dict]) -> dict:
    """Stack the packed samples of a batch.

    Args:
        batch: Dicts with ``inputs`` (tensors by name) and ``data_samples`` (a
            :class:`PointDataSample`).

    Returns:
        ``inputs``: every input stacked to (B, ...); ``points`` of unequal length are padded with
        each cloud's first point and ``lengths`` (B,) int64 is added. ``data_samples``: the list of
        samples.

    Raises:
        ValueError: The samples differ in their inputs' names, or in the shape of an input other
            than the number of points.
    """
    samples = [item['data_samples'] for item in batch]
    names = set(batch[0]['inputs'])
    for item, sample in zip(batch, samples):
        if set(item['inputs']) != names:
            raise ValueError(
                f"sample '{sample.get('sample_id')}' has inputs {sorted(item['inputs'])} but "
                f"'{samples[0].get('sample_id')}' has {sorted(names)}"
            )
    inputs: dict[str, Any] = {}
    for name in batch[0]['inputs']:
        values = [item['inputs'][name] for item in batch]
        shapes = [tuple(v.shape) for v in values]
        if len(set(shapes)) == 1:
            inputs[name] = torch.stack(values)
        elif name == 'points' and len({shape[1:] for shape in shapes}) == 1:
            longest = max(len(v) for v in values)
            inputs[name] = torch.stack(
                [torch.cat([v, v[:1].expand(longest - len(v), -1)]) for v in values]
            )
            inputs['lengths'] = torch.tensor([len(v) for v in values])
        else:
            odd = next(i for i, s in enumerate(shapes) if s != shapes[0])
            raise ValueError(
                f"input '{name}' has shape {shapes[odd]} in sample "
                f"'{samples[odd].get('sample_id')}' but "
                f"{shapes[0]} in '{samples[0].get('sample_id')}'"
            )
    return dict(inputs=inputs, data_samples=samples)
