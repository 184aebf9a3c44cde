"""Train the toy in a process of its own: ``run_path`` it with OPTIONS (keywords of toy_config)
among the globals.
"""

import json
import os
import runpy
import sys

import torch

toy = runpy.run_path(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), 'pcdet_kd_toy.py'), run_name='toy'
)
from pcdet_kd.engine import PointRunner, StoppedBySignal  # noqa: E402

options = globals().get('OPTIONS') or json.loads(sys.argv[1])
if options.pop('new_group', False):
    os.setsid()
killed_write = options.pop('kill_in_write', None)
if killed_write:  # before the n-th checkpoint is renamed to its place
    replace, count = os.replace, iter(range(1, 1000))

    def killing_replace(source, target):
        if str(target).endswith('.pth') and 'epoch_' in str(target) and next(count) == killed_write:
            with open(source, 'r+b') as file:
                file.truncate(100)
            os.kill(os.getpid(), 9)
        replace(source, target)

    os.replace = killing_replace
torch.set_num_threads(1)
try:
    PointRunner.from_cfg(toy['toy_config'](**options)).train()
except StoppedBySignal as stop:
    with open(os.path.join(options['work_dir'], 'stopped.txt'), 'w') as file:
        file.write(str(stop))
    sys.exit(stop.exit_code)
