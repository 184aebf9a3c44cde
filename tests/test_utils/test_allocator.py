"""What malloc does is seen from outside only: each case is a process of its own that reads its
resident memory.
"""

import os
import subprocess
import sys

import pytest

from pcdet_kd.utils import allocator
from pcdet_kd.utils.errors import UserError

PREAMBLE = '''
import os, torch
from pcdet_kd.utils import allocator

def resident():
    """MB"""
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2 ** 20

def use_and_free(megabytes=128):
    before = resident()
    block = torch.ones(megabytes * 2 ** 18)
    del block
    return resident() - before
'''

pytestmark = pytest.mark.skipif(allocator._mallopt() is None, reason='no glibc')


def run(code, **environ):
    done = subprocess.run(
        [sys.executable, '-c', PREAMBLE + code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environ},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_freed_blocks_stay_only_if_asked():
    kept = run(
        """
print(use_and_free() < 10)
assert allocator.configure()
print(use_and_free() > 110)
""",
        PCDET_KD_MALLOC='keep',
    )
    assert kept == ['True', 'True']


def test_the_variable_turns_it_off():
    assert run(
        'print(allocator.configure(), use_and_free() < 10)',
        PCDET_KD_MALLOC='default',
    ) == ['False', 'True']


def test_a_misspelt_choice_is_an_error():
    with pytest.raises(UserError, match="PCDET_KD_MALLOC is 'off', must be one of keep, default"):
        allocator.configure({'PCDET_KD_MALLOC': 'off'})


def test_threads_keep_it_too():
    assert run(
        """
from threading import Thread
allocator.keep_freed_memory()
thread = Thread(target=lambda: print(use_and_free() > 110))  # a thread's own heap takes 64 MB at most
thread.start()
thread.join()
""",  # noqa: E501
        PCDET_KD_MALLOC='default',
    ) == ['True']


def test_limits_can_be_restored():
    assert run("""
allocator.restore_limits()  # nothing to undo
allocator.keep_freed_memory()
allocator.restore_limits()
print(use_and_free(192) < 80)
""") == ['True']


@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_workers_give_memory_back(method, tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(
        PREAMBLE
        + f"""
class Blocks(torch.utils.data.Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, i):
        return use_and_free(192) < 80

if __name__ == '__main__':
    allocator.keep_freed_memory()
    loader = torch.utils.data.DataLoader(Blocks(), num_workers=1, batch_size=None, multiprocessing_context='{method}')
    print(*loader, use_and_free() > 110)
"""  # noqa: E501
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ['True', 'True', 'True'], done.stderr


def test_memory_does_not_grow_with_the_steps():
    """Steps whose blocks have different sizes, as with a smaller last batch and with validation in
    between.
    """
    peaks = run("""
allocator.keep_freed_memory()
generator = torch.Generator().manual_seed(0)
for step in range(60):
    scale = [1, 1, 1, 0.6, 1.3][step % 5]
    tensors = []
    for layer in range(12):
        tensors.append(torch.ones(int(scale * 2 ** 18 * (1 + 6 * torch.rand(1, generator=generator).item()))))
        if layer % 3 == 2:
            del tensors[-2]
    del tensors
    if step in (19, 59):
        print(int(resident()))
""")  # noqa: E501
    early, late = map(int, peaks)
    assert late < 1.25 * early
