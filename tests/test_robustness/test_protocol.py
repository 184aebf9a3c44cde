import torch
from torch import nn

from pcdet_kd.robustness.protocol import run_info
from pcdet_kd.robustness.suite_data import SuiteContent, SuiteData


def test_what_a_report_says():
    content = SuiteContent({('clean', 0): 'a', ('scale', 0): 'b'}, 2468, ['x'], 'y', 'us', True, [])
    data = SuiteData('modelnet-c', 'root', renormalize='sphere')
    run = dict(name='toy', sha256='1')
    info = run_info(nn.Linear(3, 2), data, content, run, 'key', 16, True, 4, ['UnitSphere()'])
    protocol = info['protocol']
    assert protocol['clouds'] == '2,468 in each of 2 sets' and protocol['seed'] == '4'
    assert 'not the official protocol' in protocol['normalisation']
    assert protocol['transforms'] == 'PackPointInputs; left out of the config: UnitSphere()'
    assert protocol['precision'] == 'bfloat16 autocast, batches of 16'
    assert torch.__version__ in protocol['software'] and protocol['computed on'] == 'CPU'
    assert info['run']['parameters'] == 8 and info['run']['name'] == 'toy'
    assert info['sets'] == content.sets and info['generated'] and info['key'] == 'key'
