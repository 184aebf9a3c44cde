"""Every Triton kernel compiles for a GPU that is not there, and no multiplication is fused with an
addition.
"""

import importlib
import json
import os
import pkgutil
import subprocess
import sys

import pytest

import pcdet_kd.ops.gpu

# Of each kernel: what is constant when it is compiled, and the number of warps.
VARIANTS = [
    ('ball_query', '_within', dict(BLOCK=256, SLOTS=32, SKIP_COPIES=False), 1),
    ('ball_query', '_within', dict(BLOCK=256, SLOTS=32, SKIP_COPIES=True), 1),
    ('edges', '_gather', dict(CHANNELS=128), 2),
    ('edges', '_max_sum', dict(ROWS=16, CHANNELS=64), 4),
    ('edges', '_scatter', dict(ROWS=16, CHANNELS=64), 4),
    ('fps', '_in_chunks', dict(BLOCK=4096), 16),
    ('fps', '_in_registers', dict(BLOCK=8192), 32),
    ('knn', '_nearest', dict(BLOCK=2048, SLOTS=0, matrix=None, squared=None), 1),
    ('knn', '_nearest', dict(BLOCK=1024, SLOTS=32, query=None, points=None, num_points=1), 1),
    ('nearest_pairs', '_nearest_one', dict(ROWS=32, BLOCK=64), 4),
    ('projection', '_blend', dict(NEAREST=False, EACH=1, ENTRIES=512), 4),
    ('projection', '_place', dict(SIDE=2, POINTS=512), 4),
]
INT64 = ('first', 'chosen', 'found', 'index', 'argmax', 'order', 'starts')
INT32 = ('memory', 'axes', 'place')
FLOAT = ('limit', 'near_origin', 'half', 'distance')
POINTERS = (
    'points',
    'query',
    'matrix',
    'squared',
    'features',
    'highest',
    'total',
    'grad_max',
    'grad_sum',
    'grad',
    'signs',
    'steps',
    'depth',
    'weight',
    'rgb',
    'images',
)

SCRIPT = """
import importlib, json, sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
for module, name, constants, types, warps in json.loads(sys.stdin.read()):
    kernel = getattr(importlib.import_module('pcdet_kd.ops.gpu.' + module), name)
    signature = {arg: 'constexpr' if arg in constants else types.get(arg, 'i32') for arg in kernel.arg_names}
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    from pcdet_kd.ops.gpu.common import OPTIONS
    done = triton.compile(source, target=GPUTarget('cuda', 90, 32), options=dict(num_warps=warps, **OPTIONS))
    # correctly rounded division contains some, but not before it is machine code
    print(module, name, 'fma.' in done.asm['ptx'], len(done.asm['cubin']))
"""  # noqa: E501


def test_kernels_compile_without_a_gpu_and_fuse_nothing(tmp_path):
    pytest.importorskip('triton')
    types = {
        **dict.fromkeys(POINTERS, '*fp32'),
        **dict.fromkeys(INT64, '*i64'),
        **dict.fromkeys(INT32, '*i32'),
        **dict.fromkeys(FLOAT, 'fp32'),
    }
    work = [(module, name, constants, types, warps) for module, name, constants, warps in VARIANTS]
    environment = {key: value for key, value in os.environ.items() if key != 'TRITON_INTERPRET'}
    done = subprocess.run(
        [sys.executable, '-c', SCRIPT],
        input=json.dumps(work),
        capture_output=True,
        text=True,
        timeout=250,
        env=dict(environment, TRITON_CACHE_DIR=str(tmp_path)),
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines] == [list(variant[:2]) for variant in VARIANTS]
    assert {line[2] for line in lines} == {'False'} and min(int(line[3]) for line in lines) > 1000


def test_every_kernel_is_compiled():
    pytest.importorskip('triton')
    kernels = set()
    for found in pkgutil.iter_modules(pcdet_kd.ops.gpu.__path__):
        module = importlib.import_module(f'pcdet_kd.ops.gpu.{found.name}')
        kernels |= {
            (found.name, name)
            for name, value in vars(module).items()
            if type(value).__name__ in ('JITFunction', 'InterpretedFunction')
            and value.fn.__module__ == module.__name__
        }
    helpers = {
        ('common', 'bits_of_distances'),
        ('fps', '_bits'),
        ('fps', '_first_bits'),
        ('knn', '_bits'),
    }  # called by kernels
    assert kernels - helpers == {variant[:2] for variant in VARIANTS}
