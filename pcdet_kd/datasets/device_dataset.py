"""A data set that lives on a device: whole batches are gathered and augmented there."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.logging import print_log
from torch.utils.data import Dataset

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.counter_random import SampleDraws
from pcdet_kd.datasets.device_transforms import apply, check_device_forms
from pcdet_kd.datasets.transforms.packing import META_KEYS, PackPointInputs
from pcdet_kd.structures import PointDataSample

_ROWS = 4096  # that are copied to the device at once


class DeviceDataset(Dataset):
    """The clouds of a data set as tensors on a device, with its pipeline in batched form.

    A DataLoader passes the indices of a batch to :meth:`__getitems__` and gets the collated batch,
    so that no worker, no copy and no collation is needed: ``collate_fn`` must return it unchanged
    (:func:`as_it_is`). The random numbers of a sample follow from (seed, epoch, sample), as in the
    data set itself, but are other numbers: see :mod:`pcdet_kd.datasets.device_transforms`.

    The objects in ``data_samples`` are made once and returned again in every epoch: do not change
    them.

    Args:
        dataset: The data set; its arrays are copied to the device once. All its clouds must have
            the same number of points.
        device: Where to keep them: ``'cuda'`` (this process's GPU), ``'cuda:1'``, ``'cpu'``.

    Raises:
        ValueError: The device is not available, a transform has no batched form, the pipeline does
            not end in PackPointInputs, or the clouds differ in size.
    """

    def __init__(self, dataset: PointCloudDataset, device: str | torch.device) -> None:
        if not isinstance(dataset, PointCloudDataset):
            raise ValueError(
                f'device={str(device)!r} needs a PointCloudDataset, not a '
                f'{type(dataset).__name__}: remove device from the data loader'
            )
        self.device = _available(device)
        if not dataset._fully_initialized:
            dataset.full_init()
        self.transforms = list(dataset.pipeline.transforms)
        if not self.transforms or not isinstance(self.transforms[-1], PackPointInputs):
            raise ValueError(
                f'the pipeline of {type(dataset).__name__} must end in PackPointInputs to run on '
                'a device'
            )
        check_device_forms(self.transforms)
        if not hasattr(dataset, 'records'):
            raise ValueError(
                f'a {type(dataset).__name__} has no arrays that could be put on a device: remove '
                'device from the data loader, or pack it with pcdet-kd pack and use the PointStore'
            )
        self.dataset = dataset
        self.metainfo = dataset.metainfo
        chosen = [info['record'] for info in dataset.data_list]
        axes = {info.get('up_axis', dataset.metainfo['up_axis']) for info in dataset.data_list}
        if len(axes) > 1:
            raise ValueError(
                f'the clouds of {type(dataset).__name__} have the up axes '
                f'{", ".join(sorted(axes))}; on a device all need the same: remove device from '
                'the data loader'
            )
        arrays = dict(points=dataset.records.points, **dataset.records.extras)
        self.tensors = {name: self._upload(array, chosen) for name, array in arrays.items()}
        self._samples = [None] * len(dataset)
        size = sum(t.nbytes for t in self.tensors.values())
        print_log(
            f'{type(dataset).__name__} ({dataset.split}): {len(dataset)} clouds, '
            f'{size / 2**20:.0f} MB on {self.device}',
            logger='current',
        )

    def _upload(self, array: Sequence[np.ndarray], chosen: list[int]) -> torch.Tensor:
        """Copy rows of equal size, some at a time: those of a store are not in memory before."""
        out = torch.empty(0, device=self.device)
        for start in range(0, len(chosen), _ROWS):
            rows = [array[i] for i in chosen[start : start + _ROWS]]
            sizes = {len(row) for row in rows} | ({out.shape[1]} if start else set())
            if len(sizes) > 1:
                raise ValueError(
                    f'the clouds of {type(self.dataset).__name__} have {min(sizes)} to '
                    f'{max(sizes)} points; on a device all need the same number: remove device '
                    'from the data loader'
                )
            block = torch.from_numpy(np.stack(rows))
            if not start:
                shape = (len(chosen), *block.shape[1:])
                out = torch.empty(shape, dtype=block.dtype, device=self.device)
            out[start : start + len(rows)] = block.to(self.device)
        return out

    def __deepcopy__(self, memo: dict) -> 'DeviceDataset':
        # a loader's config is copied while it is built; the tensors are not
        return self

    def __len__(self) -> int:
        return len(self.dataset)

    def labelled(self) -> np.ndarray:
        """Return whether each sample has a label (n,) bool."""
        return self.dataset.labelled()

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """Return the batch of these samples: ``inputs`` on the device and ``data_samples``."""
        index = torch.tensor([int(i) for i in indices])
        if len(index) and not 0 <= int(index.min()) <= int(index.max()) < len(self):
            raise IndexError(
                f'indices {int(index.min())} to {int(index.max())} of {len(self)} samples'
            )
        on_device = index.to(self.device)
        seed, epoch = self.dataset._random_state.tolist()
        batch = {name: tensor.index_select(0, on_device) for name, tensor in self.tensors.items()}
        batch['up_axis'] = self.metainfo['up_axis']
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            batch = apply(self.transforms, batch, SampleDraws(seed, epoch, on_device))
        return dict(
            inputs=batch['inputs'],
            data_samples=[self._sample(i, batch['up_axis']) for i in index.tolist()],
        )

    def __getitem__(self, index: int) -> dict:
        """Return one sample, packed."""
        batch = self.__getitems__([index])
        return dict(
            inputs={name: value[0] for name, value in batch['inputs'].items()},
            data_samples=batch['data_samples'][0],
        )

    def _sample(self, index: int, up_axis: str) -> PointDataSample:
        sample = self._samples[index]
        if sample is None:
            info = {**self.dataset.get_data_info(index), 'up_axis': up_axis}
            sample = PointDataSample(metainfo={key: info[key] for key in META_KEYS if key in info})
            if 'gt_label' in info:
                sample.set_gt_label(info['gt_label'])
            self._samples[index] = sample.to(self.device)
        return self._samples[index]


def as_it_is(batch: dict) -> dict:
    """The ``collate_fn`` of a :class:`DeviceDataset`, whose batches are already collated."""
    return batch


def _available(device: str | torch.device) -> torch.device:
    """Return a device, with its number for CUDA, or say why it cannot be used."""
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f'device={str(device)!r} of the data loader cannot be used: '
            f'{str(error).splitlines()[0]}'
        ) from None
    return (
        torch.device('cuda', torch.cuda.current_device())
        if found == torch.device('cuda')
        else found
    )
