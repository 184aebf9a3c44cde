"""One of two processes: ``run_path`` it with RANK, PORT, ARGV (of the script) and OUT (where its
output goes) among the globals. It sets what torchrun sets.
"""

import os
import runpy
import sys
from contextlib import redirect_stderr, redirect_stdout

RANK, PORT, ARGV, OUT = (globals()[name] for name in ('RANK', 'PORT', 'ARGV', 'OUT'))
os.environ.update(
    RANK=str(RANK),
    LOCAL_RANK=str(RANK),
    WORLD_SIZE='2',
    LOCAL_WORLD_SIZE='2',
    MASTER_ADDR='127.0.0.1',
    MASTER_PORT=str(PORT),
)
sys.argv = ARGV
with open(OUT, 'w') as file, redirect_stdout(file), redirect_stderr(file):
    runpy.run_path(ARGV[0], run_name='__main__')
