"""What this machine and its packages are, what the kernels run on, and what slows them down."""

import glob
import os
import platform
import shutil
import sys
from typing import Any

import torch

import pcdet_kd
from pcdet_kd import ops
from pcdet_kd.apis.doctor.packages import check_required, optional_rows, required
from pcdet_kd.apis.doctor.report import Report
from pcdet_kd.engine.amp import check_amp
from pcdet_kd.ops.backend import INSTALL
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.processes import default_workers

_LEAST_SHARED = 2**30  # bytes: what loaders with a few workers pass on at a time


def check_env() -> Report:
    """Return what is known of this machine: versions, processor, GPUs, which back end each kernel
    takes, and what is missing or slow.
    """
    report = Report('Environment', next='pcdet-kd doctor data')
    has_gpu = torch.cuda.is_available()
    if has_gpu:
        torch.cuda.init()  # only then Triton and NVRTC can be asked
    info = ops.info()
    report.sections['Versions'] = {
        'pcdet-kd': pcdet_kd.__version__,
        'python': platform.python_version(),
        'system': f'{platform.system()} {platform.machine()}',
        **check_required(required(), report),
        'triton': info['triton'],
        'mmcv with ops': info['mmcv'],
    }
    report.sections['Machine'] = _machine(info)
    if has_gpu:
        report.sections['GPUs'] = _gpus()
    report.sections['Kernels on the CPU'] = _by_backend(info, 'cpu')
    if has_gpu:
        report.sections['Kernels on the GPU'] = _by_backend(info, 'cuda')
    report.sections['Optional packages'] = optional_rows()
    _check_kernels(info, has_gpu, report)
    _check_threads(info, report)
    _check_gpu_build(has_gpu, report)
    _check_shared_memory(report)
    _check_precision(report)
    return report


def _machine(info: dict[str, Any]) -> dict[str, Any]:
    return dict(
        processor=info['processor'],
        instruction_set=info['instructions'],
        processors=default_workers(),
        threads_of_torch=info['threads'],
        matrix_products=f'{info["linear"].backend} ({info["linear"].why})',
        memory_bytes=_memory(),
    )


def _memory() -> int | None:
    if not hasattr(os, 'sysconf') or 'SC_PHYS_PAGES' not in os.sysconf_names:
        return None
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')


def _gpus() -> list[dict[str, Any]]:
    rows = []
    for number in range(torch.cuda.device_count()):
        of = torch.cuda.get_device_properties(number)
        capability = f'{of.major}.{of.minor}'
        row = dict(
            gpu=number, name=of.name, compute_capability=capability, memory_bytes=of.total_memory
        )
        rows.append(row)
    return rows


def _by_backend(info: dict[str, Any], device: str) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, of in info['ops'].items():
        names.setdefault(of[device].backend, []).append(name)
    return names


def _check_kernels(info: dict[str, Any], has_gpu: bool, report: Report) -> None:
    """Report the kernels that do not take their fast form, by reason."""
    slow: dict[str, list[str]] = {}
    for name, of in info['ops'].items():
        for device in ('cpu', *(['cuda'] if has_gpu else [])):
            choice = of[device]
            usual = choice.why.startswith('use(') or 'no kernel' in choice.why
            if not usual:
                slow.setdefault(choice.why, []).append(name)
    for why, names in slow.items():
        missing = next((one for one in INSTALL if why.startswith(f'{one} cannot')), None)
        fix = INSTALL.get(missing, '')
        if 'NVRTC' in why:
            fix = 'pip install nvidia-cuda-nvrtc'
        elif 'Triton cannot launch' in why:
            fix = 'install a C compiler and the headers of Python (apt install gcc python3-dev)'
        several = f'{len(names)} kernels run in a slow form: {", ".join(names)}'
        report.add('warning', '', f'{several} ({why})', fix)


def _check_threads(info: dict[str, Any], report: Report) -> None:
    threads, processors = info['threads'], default_workers()
    if threads < processors:
        name = next((n for n in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS') if n in os.environ), None)
        fix = f'unset {name}' if name else f'export OMP_NUM_THREADS={processors}'
        text = f'torch uses {threads} of {processors} processors'
        report.add('note' if name else 'warning', 'threads', text, fix)


def _check_gpu_build(has_gpu: bool, report: Report) -> None:
    if has_gpu:
        return
    there = glob.glob('/dev/nvidia[0-9]*') or shutil.which('nvidia-smi')
    if not there:
        report.add('note', 'GPU', 'none was found: everything runs on the CPU')
    elif torch.version.cuda is None:
        report.add(
            'warning',
            'GPU',
            f'there is one, and torch {torch.__version__} was built without CUDA',
            f'{sys.executable} -m pip install --force-reinstall torch, see pytorch.org',
        )
    else:
        hidden = os.environ.get('CUDA_VISIBLE_DEVICES')
        fix = 'update the driver, see nvidia-smi'
        if hidden is not None and hidden in ('', '-1'):
            fix = 'unset CUDA_VISIBLE_DEVICES'
        text = f'there is one, and torch {torch.__version__} cannot use it'
        report.add('warning', 'GPU', text, fix)


def _check_shared_memory(report: Report) -> None:
    """Containers have 64 MB of it, and loaders with workers then end with a bus error."""
    if os.path.isdir('/dev/shm'):
        total = shutil.disk_usage('/dev/shm').total
        if total < _LEAST_SHARED:
            report.add(
                'warning',
                '/dev/shm',
                f'{total / 2**20:.0f} MB of shared memory, too few for data loaders with workers',
                'docker run --shm-size=8g, or --cfg-options num_workers=0',
            )


def _check_precision(report: Report) -> None:
    try:
        check_amp('cuda' if torch.cuda.is_available() else 'cpu')
    except UserError:
        text = 'slower than float32 on this processor, which has no bfloat16 instructions'
        report.add('note', '--amp', text, 'train without it')
