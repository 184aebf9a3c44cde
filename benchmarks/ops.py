"""Compare the speed of the ops with named peers: a Markdown table, one row per op and peer.

All run in one process, in turn. A figure is the median over the rounds. CPU time is that of all
threads. Peers are public algorithms in their plain form (``peers.py``) and packages: ``pip install
-e '.[bench]'``. A ratio above 1 means that our op is faster. Examples::

    python benchmarks/ops.py                       # all rows (about ten minutes on two cores)
    python benchmarks/ops.py fps knn emd-surface   # some rows
    python benchmarks/ops.py --tiny                # all, in seconds: only a test that they run
"""

import argparse
import sys

NAMES = (
    'fps',
    'fps-8192',
    'knn',
    'knn-64',
    'knn-128',
    'ball',
    'group',
    'interpolate',
    'chamfer',
    'project',
    'render-460',
    'render-46k',
    'emd-uniform',
    'emd-surface',
    'emd-2048',
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'rows', nargs='*', metavar='ROW', help=f'which rows: {", ".join(NAMES)} (default: all)'
    )
    parser.add_argument(
        '--rounds', type=int, default=5, help='how often each function is timed (%(default)s)'
    )
    parser.add_argument(
        '--budget',
        type=float,
        default=20,
        help='seconds for one function in one row (%(default)s)',
    )
    parser.add_argument('--threads', type=int, help="torch's threads (default: its own choice)")
    parser.add_argument(
        '--allocator',
        choices=['default', 'keep'],
        default='default',
        help="'keep': glibc's malloc keeps freed memory, as in the training tools",
    )
    parser.add_argument(
        '--tiny', action='store_true', help='tiny shapes, one round: the ratios mean nothing'
    )
    args = parser.parse_args()
    unknown = set(args.rows) - set(NAMES)
    if unknown:
        parser.error(f'no row {", ".join(sorted(unknown))}; there are {", ".join(NAMES)}')
    return args


def main() -> None:
    """Print the table."""
    args = parse_args()
    import harness
    import torch
    from op_cases import CASES

    assert set(CASES) == set(NAMES)
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.allocator == 'keep':
        from pcdet_kd.utils.allocator import keep_freed_memory

        if not keep_freed_memory():
            sys.exit('--allocator keep: this C library has no mallopt (it needs glibc)')
    print(f'{harness.environment()}; allocator {args.allocator}\n', flush=True)
    print(
        harness.table(
            [
                'op',
                'against',
                'ours, CPU ms',
                'peer, CPU ms',
                'CPU ratio',
                'wall ratio',
                'target',
                'check',
            ],
            [],
        )
    )
    for name in args.rows or NAMES:
        build, full, tiny = CASES[name]
        case = build(*(tiny if args.tiny else full))
        calls = {'ours': case.ours, **{peer: call for peer, call in case.peers.items() if call}}
        times = harness.interleaved(calls, 1 if args.tiny else args.rounds, args.budget)
        ours = times['ours']
        for peer in case.peers:
            target = f'>= {case.targets[peer]:g}' if peer in case.targets else ''
            if peer not in times:
                cells = [
                    case.title,
                    peer,
                    harness.milliseconds(ours.cpu),
                    harness.INSTALL,
                    '',
                    '',
                    target,
                    '',
                ]
            else:
                other = times[peer]
                cells = [
                    case.title,
                    peer,
                    harness.milliseconds(ours.cpu),
                    harness.milliseconds(other.cpu),
                    harness.times_faster(other.cpu, ours.cpu),
                    harness.times_faster(other.wall, ours.wall),
                    target,
                    case.check(ours.result, other.result),
                ]
            print('| ' + ' | '.join(cells) + ' |', flush=True)


if __name__ == '__main__':
    main()
