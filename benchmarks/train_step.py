"""Compare training steps of the usual implementations and of ours, with equal weights.

Prints time, peak memory and loss as Markdown tables. There are two processes that take turns, one
for each setting of the allocator, which holds for a whole process. In each, the forms take turns,
so that other work on the machine affects all alike. A step is forward, backward and an Adam update.
The first step starts from equal weights and equal dropout: its losses must agree. The peak memory
of a form is that of a separate process that does two of its steps. Examples::

    python benchmarks/train_step.py               # all networks, the smaller batches (minutes)
    python benchmarks/train_step.py dgcnn --batch 16 --steps 5
    python benchmarks/train_step.py --tiny        # seconds: only a test that it runs
"""

import argparse
import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

BATCHES = {
    'pointnet2': 16,
    'dgcnn': 8,
    'pointmlp': 4,
}  # the larger ones of docs/en/performance.md are twice these
FORMS = ('usual', 'usual-bf16', 'ours', 'ours-bf16')
TARGETS = {
    'pointnet2': '>= 2.5',
    'dgcnn': '>= 9 (>= 4.5 under equal allocators; memory <= 1/3)',
    'pointmlp': '>= 1.2 (bf16: >= 2.3)',
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'networks', nargs='*', metavar='NETWORK', help=f'{", ".join(BATCHES)} (default: all)'
    )
    parser.add_argument('--batch', type=int, help=f'clouds in a batch (default: {BATCHES})')
    parser.add_argument(
        '--steps',
        type=int,
        default=3,
        help='timed steps of each form (%(default)s); the figure is their median',
    )
    parser.add_argument('--threads', type=int, help="torch's threads (default: its own choice)")
    parser.add_argument(
        '--forms',
        nargs='+',
        choices=FORMS,
        default=['usual', 'ours', 'ours-bf16'],
        help='(%(default)s)',
    )
    parser.add_argument('--no-memory', action='store_true', help='leave out the peak memory')
    parser.add_argument(
        '--tiny', action='store_true', help='tiny networks and clouds: the ratios mean nothing'
    )
    parser.add_argument(
        '--serve', nargs=2, metavar=('NETWORK', 'ALLOCATOR'), help=argparse.SUPPRESS
    )
    args = parser.parse_args()
    unknown = set(args.networks) - set(BATCHES)
    if unknown:
        parser.error(f'no network {", ".join(sorted(unknown))}; there are {", ".join(BATCHES)}')
    return args


def serve(network: str, allocator: str, batch: int, tiny: bool) -> None:
    """Do one step of a form per line of standard input; answer with a line of JSON each."""
    import copy
    import resource

    import harness
    import inputs
    import peer_models
    import torch
    from torch.nn import functional as F

    from pcdet_kd.utils.allocator import keep_freed_memory

    if allocator == 'keep' and not keep_freed_memory():
        sys.exit('this C library has no mallopt: the allocator stays as it is')
    points = inputs.surface(batch, 64 if tiny else 1024)
    labels = torch.arange(batch) % 40
    models, optimizers, before = {}, {}, 0
    torch.manual_seed(0)
    ours, usual = peer_models.build(network, tiny)
    for line in sys.stdin:
        form = line.strip()
        if form not in models:
            models[form] = copy.deepcopy(usual if form.startswith('usual') else ours)
            optimizers[form] = torch.optim.Adam(models[form].parameters(), lr=1e-3)
            with (
                torch.no_grad()
            ):  # imports and compiles, so that memory and time are those of steps
                models[form].eval()(
                    points[:1] if form.startswith('usual') else dict(points=points[:1])
                )
            models[form].train()
            before = _resident()
        model, optimizer = models[form], optimizers[form]

        def step(model: Any = model, optimizer: Any = optimizer, form: str = form) -> float:
            with torch.autocast('cpu', torch.bfloat16) if form.endswith('bf16') else nullcontext():
                logits = (
                    model(points) if form.startswith('usual') else model(dict(points=points)).logits
                )
                loss = F.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.item()

        torch.manual_seed(1)
        wall, cpu, loss = harness.timed(step)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
            1 if sys.platform == 'darwin' else 1024
        )
        print(json.dumps(dict(wall=wall, cpu=cpu, loss=loss, memory=peak - before)), flush=True)


def _resident() -> int:
    try:
        with open('/proc/self/statm', encoding='utf-8') as file:
            import resource

            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


class Server:
    """A process that does steps of one network under one setting of the allocator."""

    def __init__(self, network: str, allocator: str, batch: int, args: argparse.Namespace) -> None:
        command = [
            sys.executable,
            str(Path(__file__)),
            '--serve',
            network,
            allocator,
            '--batch',
            str(batch),
        ]
        command += ['--threads', str(args.threads)] if args.threads else []
        self.process = subprocess.Popen(
            [*command, *(['--tiny'] if args.tiny else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def step(self, form: str) -> dict:
        """Do one step of a form."""
        self.process.stdin.write(form + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(
                f'the process that measures {form} ended with {self.process.wait()}; its message '
                'is above'
            )
        return json.loads(answer)

    def __enter__(self) -> 'Server':
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def measure(network: str, batch: int, args: argparse.Namespace) -> dict[tuple[str, str], dict]:
    """Return the medians (and the first loss) by (allocator, form)."""
    import statistics

    allocators = ('default', 'keep')
    found: dict[tuple[str, str], dict] = {}
    servers = {name: Server(network, name, batch, args) for name in allocators}
    try:
        for name in allocators:
            for form in args.forms:
                found[name, form] = dict(
                    loss=servers[name].step(form)['loss'], steps=[]
                )  # compiles, fills caches
        for _ in range(args.steps):
            for form in args.forms:
                for name in allocators:
                    found[name, form]['steps'].append(servers[name].step(form))
    finally:
        for server in servers.values():
            server.__exit__()
    for entry in found.values():
        for key in ('wall', 'cpu'):
            entry[key] = statistics.median(step[key] for step in entry['steps'])
    return found


def peak_memory(network: str, form: str, batch: int, args: argparse.Namespace) -> int:
    """Return what two steps add to a process at most, in bytes, under the default allocator."""
    with Server(network, 'default', batch, args) as server:
        server.step(form)
        return server.step(form)['memory']


def report(network: str, batch: int, args: argparse.Namespace) -> None:
    """Measure a network and print its table."""
    import harness

    found = measure(network, batch, args)
    memory = (
        {}
        if args.no_memory
        else {form: peak_memory(network, form, batch, args) for form in args.forms}
    )
    usual = found.get(('default', 'usual'))
    rows = []
    for (allocator, form), entry in found.items():
        alike = found.get((allocator, 'usual'))
        rows.append(
            [
                form,
                allocator,
                harness.milliseconds(entry['cpu'] / batch),
                harness.milliseconds(entry['wall'] / batch),
                *(
                    harness.times_faster(base[key], entry[key]) if base else ''
                    for base, key in ((usual, 'cpu'), (usual, 'wall'), (alike, 'cpu'))
                ),
                f'{memory[form] / 2**20:.0f}' if allocator == 'default' and form in memory else '',
                f'{entry["loss"]:.5f}',
            ]
        )
    print(
        f'\n{network}, B={batch}, {64 if args.tiny else 1024} points; target {TARGETS[network]}\n'
    )
    print(
        harness.table(
            [
                'form',
                'allocator',
                'CPU ms per sample',
                'wall ms per sample',
                'CPU: times usual, default',
                'wall: times usual, default',
                'CPU: times usual, same allocator',
                'peak MB',
                'first loss',
            ],
            rows,
        ),
        flush=True,
    )


def main() -> None:
    """Print a table per network."""
    args = parse_args()
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    if args.serve:
        serve(*args.serve, args.batch, args.tiny)
        return
    import harness

    print(harness.environment())
    for network in args.networks or BATCHES:
        report(network, args.batch or (4 if args.tiny else BATCHES[network]), args)


if __name__ == '__main__':
    main()
