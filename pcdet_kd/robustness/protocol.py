"""What a report says about how a model was evaluated."""

import time
from collections.abc import Mapping
from typing import Any

import mmengine
import torch
from torch import nn

from pcdet_kd import __version__
from pcdet_kd.robustness.suite_data import SuiteContent, SuiteData

NORMALIZATION = {
    'none': 'none: the clouds as they are in the files',
    'sphere': 'each cloud centred at its mean and scaled to the unit sphere (not the official '
    'protocol)',
    'box+sphere': 'each cloud to the box [-1, 1], then to the unit sphere (not the official '
    'protocol)',
}


def run_info(
    model: nn.Module,
    data: SuiteData,
    content: SuiteContent,
    run: Mapping[str, Any],
    key: str,
    batch_size: int,
    amp: bool,
    seed: int,
    left_out: list[str],
) -> dict[str, Any]:
    """Return what ``run.json`` says about an evaluation; see :func:`evaluate_suite`."""
    device = next(iter(model.parameters())).device
    machine = torch.cuda.get_device_name(device) if device.type == 'cuda' else device.type.upper()
    precision = (
        ('float16' if device.type == 'cuda' else 'bfloat16') + ' autocast' if amp else 'float32'
    )
    kept = [t['type'] if isinstance(t['type'], str) else t['type'].__name__ for t in data.pipeline]
    protocol = {
        'clouds': f'{content.clouds:,} in each of {len(content.sets)} sets',
        'sampling': 'none: whole clouds',
        'normalisation': NORMALIZATION[data.renormalize],
        'votes': 'none: a single pass',
        'transforms': ', '.join(kept)
        + (f'; left out of the config: {", ".join(left_out)}' if left_out else ''),
        'seed': str(seed),
        'precision': f'{precision}, batches of {batch_size}',
        'computed on': machine,
        'software': f'pcdet_kd {__version__}, torch {torch.__version__}, mmengine '
        f'{mmengine.__version__}',
    }
    about = dict(
        run,
        parameters=sum(p.numel() for p in model.parameters()),
        started=time.strftime('%Y-%m-%d'),
    )
    return dict(
        format=1,
        key=key,
        suite=data.suite,
        renormalize=data.renormalize,
        classes=content.classes,
        up_axis=content.up_axis,
        provenance=content.provenance,
        generated=content.generated,
        notes=content.notes,
        protocol=protocol,
        run=about,
        sets=content.sets,
    )
