"""Process groups on machines with and without GPUs, and the lock of a work directory."""

import atexit
import datetime
import gc
import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
import torch.distributed as dist
from mmengine.dist import broadcast_object_list, get_world_size, init_dist, is_main_process

from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.files import process_runs

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


def setup_distributed(launcher: str, backend: str = 'nccl', timeout: float | None = None) -> None:
    """Start the process group, on a machine without CUDA too; MMEngine's own start asks for a GPU.

    Does nothing if the launcher is ``none`` or a group runs already.

    Args:
        launcher: ``none``, ``pytorch`` (torchrun), ``slurm`` or ``mpi`` (Open MPI).
        backend: The backend with CUDA; on a CPU, ``nccl`` becomes ``gloo``.
        timeout: Seconds until a missing process is an error; None means torch's default.

    Raises:
        UserError: The launcher's environment variables are missing.
    """
    check_choice('launcher', launcher, LAUNCHERS)
    if launcher == 'none' or dist.is_initialized():
        return
    for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS'):  # as MMEngine would, with a warning
        os.environ.setdefault(name, '1')
    cuda = torch.cuda.is_available()
    if launcher != 'pytorch' and not cuda:
        _set_environment(launcher)
    missing = [
        k
        for k in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')
        if k not in os.environ
    ]
    if missing and (launcher == 'pytorch' or not cuda):
        raise UserError(
            f"launcher='{launcher}' needs the environment variables {', '.join(missing)}. Start "
            'the command through tools/dist_train.sh (torchrun), srun or mpirun, or leave '
            '--launcher out'
        )
    atexit.register(_end_group)
    if cuda:
        init_dist(launcher, backend, **(dict(timeout=timeout) if timeout else {}))
        return
    dist.init_process_group(
        'gloo' if backend == 'nccl' else backend,
        timeout=datetime.timedelta(seconds=timeout) if timeout else None,
    )


def _set_environment(launcher: str) -> None:
    """Translate Slurm's or Open MPI's variables into those that torch reads."""
    env = os.environ
    if launcher == 'slurm':
        names = dict(RANK='SLURM_PROCID', WORLD_SIZE='SLURM_NTASKS', LOCAL_RANK='SLURM_LOCALID')
        if 'MASTER_ADDR' not in env and 'SLURM_NODELIST' in env:
            hosts = subprocess.run(
                ['scontrol', 'show', 'hostname', env['SLURM_NODELIST']],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()
            env['MASTER_ADDR'] = hosts[0]
    else:
        names = dict(
            RANK='OMPI_COMM_WORLD_RANK',
            WORLD_SIZE='OMPI_COMM_WORLD_SIZE',
            LOCAL_RANK='OMPI_COMM_WORLD_LOCAL_RANK',
        )
        if env.get('OMPI_COMM_WORLD_SIZE') == env.get('OMPI_COMM_WORLD_LOCAL_SIZE'):
            env.setdefault('MASTER_ADDR', '127.0.0.1')
    for ours, theirs in names.items():
        if theirs in env:
            env[ours] = env[theirs]
    env.setdefault('MASTER_PORT', '29500')


def _end_group() -> None:
    """Leave the group together: a process that ends while another still communicates with it may
    abort in gloo's threads.
    """
    if dist.is_initialized():
        gc.collect()  # a Runner is a reference cycle, and its model's wrapper holds on to the group
        if dist.get_backend() == dist.Backend.GLOO:  # the others have no such barrier, and refuse
            with suppress(RuntimeError):  # one of the others failed; its own error is what matters
                dist.monitored_barrier(timeout=datetime.timedelta(seconds=10))
        dist.destroy_process_group()


def on_main(function: Callable, *args: Any) -> Any:
    """Return, in every process, what ``function(*args)`` returns in the main one; it is called only
    there. An error is raised in every process, so that none waits for one that is gone.
    """
    found = [None, None]
    if is_main_process():
        try:
            found[0] = function(*args)
        except Exception as error:
            if get_world_size() == 1:
                raise
            found[1] = error
    broadcast_object_list(found)
    if found[1] is not None:
        raise found[1]
    return found[0]


class WorkDirInUse(UserError, RuntimeError):
    """Another run trains in the work directory."""


class WorkDirLock:
    """Keeps a second training run out of a work directory.

    A context manager: the main process creates ``.lock`` with its id; if the file exists and its
    process still runs, that is an error. A lock that a dead process of this machine left is
    taken over.
    """

    def __init__(self, work_dir: str | os.PathLike) -> None:
        self.file = Path(work_dir) / '.lock'
        self.owner = f'{socket.gethostname()} {os.getpid()} {start_time(os.getpid())}'
        self.held = False

    def __enter__(self) -> 'WorkDirLock':
        if not is_main_process():
            return self
        self.file.parent.mkdir(parents=True, exist_ok=True)
        while not self.held:
            try:
                with open(
                    os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_WRONLY), 'w', encoding='utf-8'
                ) as file:
                    file.write(self.owner)
                self.held = True
            except FileExistsError:
                self._remove_if_stale()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.held:
            self.file.unlink(missing_ok=True)
            self.held = False

    def _remove_if_stale(self) -> None:
        try:
            text = self.file.read_text(encoding='utf-8')
        except FileNotFoundError:
            return
        host, pid, start = [*text.split(), '', '', ''][:3]
        if (
            not pid.isdigit()
            or host != socket.gethostname()
            or (process_runs(int(pid)) and start == start_time(int(pid)))
        ):
            holder = f'process {pid} on {host}' if pid else 'a process that is just starting'
            raise WorkDirInUse(
                f'{self.file.parent} is in use by {holder}. Wait for it, give this run another '
                f'--work-dir, or, if that process is gone, delete {self.file}'
            )
        # Renamed first, so that of two processes that find the same stale lock only one goes on to
        # create a new one.
        taken = self.file.with_name(f'.lock.{os.getpid()}')
        with suppress(FileNotFoundError):
            os.rename(self.file, taken)
            if taken.read_text(encoding='utf-8') != text:
                os.link(taken, self.file)
            taken.unlink()


def start_time(pid: int) -> str:
    """When a process started, in the kernel's ticks, to tell it from a later one with the same id;
    '-' where unknown.
    """
    try:
        return Path(f'/proc/{pid}/stat').read_text(encoding='utf-8').rpartition(')')[2].split()[19]
    except (OSError, IndexError):
        return '-'
