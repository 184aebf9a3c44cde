"""Check and time the GPU kernels, and measure training speed, in less than ten minutes.

1. ``check``: every GPU kernel against plain torch on fresh random clouds of many sizes and kinds.
2. ``ops``: times by CUDA events at B = 32 and 256 against torch's own forms, and against the
   device's measured limits.
3. ``emd``: 132 pairs of 1024-point clouds: time, proven gap, and the gap to SciPy's optimum.
4. ``train``: training throughput in bf16 at B = 256: PointNet++, DGCNN, PointMLP, and PointCMT's
   stage III with PointNet++ MSG.

Each section runs in its own process. If a kernel crashes, only the rest of its section is lost. A
failure is shown as a row, and the exit status is then 1. Prints Markdown tables and writes them to
``gpu.md``, with all figures in ``gpu.json``, in the folder ``--out``.

Needs a checkout of this package (which need not be installed), a CUDA build of torch (which brings
Triton and NVRTC; Triton needs a C compiler), and::

    pip install numpy scipy numba mmengine

Without mmengine (and its dependencies addict, termcolor, yapf and platformdirs) only ``train``
fails.

Examples::

    python benchmarks/gpu.py --out gpu_results
    python benchmarks/gpu.py ops emd              # some sections
    python benchmarks/gpu.py --tiny               # tiny shapes, on any machine: only to test it
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(
    1, str(Path(__file__).resolve().parents[1])
)  # the package of this checkout, installed or not
SECONDS = dict(
    check=140, ops=170, emd=60, train=180
)  # before a section is cut short; 550 in all, of 600
COLUMNS = dict(
    check=['op', 'clouds', 'result'],
    ops=[
        'op',
        'B',
        'ours ms',
        'in a graph ms',
        "torch's form",
        'its ms',
        'ratio',
        'of the limit',
        'target',
    ],
    emd=[
        'clouds',
        'pairs',
        'eps',
        'ms',
        'proven gap, greatest',
        'gap to SciPy (2 pairs)',
        'target',
    ],
    train=['network', 'B', 'samples/s', 'ms per step', 'peak GB', 'loss, first and last', 'target'],
)
TITLES = dict(
    check='Same as plain torch',
    ops='Times of the ops',
    emd="Earth mover's matching",
    train='Training, bf16',
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'sections', nargs='*', metavar='SECTION', help=f'{", ".join(SECONDS)} (default: all)'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('gpu_results'),
        help='folder for gpu.md and gpu.json (%(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=int,
        help='seed of the random clouds (default: a new one each time, which is printed)',
    )
    parser.add_argument(
        '--tiny',
        action='store_true',
        help='tiny shapes, also without a GPU: the figures mean nothing',
    )
    parser.add_argument('--only', choices=SECONDS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    unknown = set(args.sections) - set(SECONDS)
    if unknown:
        parser.error(f'no section {", ".join(sorted(unknown))}; there are {", ".join(SECONDS)}')
    if args.seed is None:
        args.seed = int.from_bytes(os.urandom(3), 'little')
    return args


def run_section(name: str, args: argparse.Namespace) -> list[dict]:
    """Run a section in its own process and return its rows, the last one a failure if it did not
    end well.
    """
    file = args.out / f'{name}.jsonl'
    file.unlink(missing_ok=True)
    command = [
        sys.executable,
        str(Path(__file__)),
        '--only',
        name,
        '--out',
        str(args.out),
        '--seed',
        str(args.seed),
    ]
    try:
        done = subprocess.run(
            [*command, *(['--tiny'] if args.tiny else [])],
            timeout=SECONDS[name],
            stderr=subprocess.PIPE,
            text=True,
        )
        sys.stderr.write(done.stderr)
        problem = (
            ''
            if done.returncode == 0
            else f'the process ended with {done.returncode}: {_last_line(done.stderr)}'
        )
    except subprocess.TimeoutExpired:
        problem = f'cut short after {SECONDS[name]} s'
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    file.unlink(missing_ok=True)
    if problem:
        rows.append(dict(cells=[], failed=f'section {name}: {problem}'))
    return rows


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else 'no message'


def table(name: str, rows: list[dict]) -> str:
    """Return a section as Markdown: its table, and its failures below."""
    width = len(COLUMNS[name])
    lines = [COLUMNS[name], ['---'] * width, *(row['cells'] for row in rows if row['cells'])]
    text = f'\n## {TITLES[name]}\n\n' + '\n'.join(
        '| ' + ' | '.join(str(cell) for cell in line) + ' |' for line in lines
    )
    failures = [f'- FAILED: {row["failed"]}' for row in rows if row.get('failed')]
    return '\n'.join([text, '', *failures]) if failures else text


def main() -> None:
    """Run the sections and print their tables."""
    args = parse_args()
    try:
        import torch
    except ImportError:
        sys.exit('torch is not installed; see the top of this file for what is needed')
    if not torch.cuda.is_available() and not args.tiny:
        sys.exit(
            'no CUDA device: this script measures GPU kernels (--tiny runs it anyway, to see that '
            'it works)'
        )
    args.out.mkdir(parents=True, exist_ok=True)
    if args.only:
        import gpu_sections

        with open(args.out / f'{args.only}.jsonl', 'w', encoding='utf-8') as file:
            gpu_sections.run(args.only, file, args.seed, args.tiny)
        return
    import gpu_sections

    heading = gpu_sections.environment()
    text = (
        f'# GPU benchmark\n\n{heading}; seed '
        f'{args.seed}{"; tiny shapes, figures mean nothing" if args.tiny else ""}'
    )
    print(text, flush=True)
    results, failed = {}, False
    for name in args.sections or SECONDS:
        results[name] = run_section(name, args)
        failed |= any(row.get('failed') for row in results[name]) or not results[name]
        part = table(name, results[name])
        print(part, flush=True)
        text += '\n' + part
        (args.out / 'gpu.md').write_text(text + '\n', encoding='utf-8')
        facts = dict(environment=heading, seed=args.seed, tiny=args.tiny, sections=results)
        (args.out / 'gpu.json').write_text(json.dumps(facts, indent=1), encoding='utf-8')
    sys.exit(int(failed))


if __name__ == '__main__':
    main()
