import pytest
import torch
from torch import nn

from pcdet_kd.engine import AmpOptimWrapper, amp
from pcdet_kd.registry import OPTIM_WRAPPERS
from pcdet_kd.utils.errors import UserError


def wrapper(**kwargs):
    model = nn.Linear(2, 2)
    return model, AmpOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.1), **kwargs)


def test_is_what_the_name_means_in_our_configs():
    assert OPTIM_WRAPPERS.get('AmpOptimWrapper') is AmpOptimWrapper


def test_trains_in_bfloat16_on_cpu(runner_of):
    optim = dict(
        type='AmpOptimWrapper', optimizer=dict(type='SGD', lr=0.05), clip_grad=dict(max_norm=1.0)
    )
    runner = runner_of(epochs=1, optim_wrapper=optim)
    kinds = []
    runner.model.net[0].register_forward_hook(
        lambda module, args, out: kinds.append((runner.model.training, out.dtype))
    )
    before = runner.model.net[0].weight.clone()
    runner.train()
    assert set(kinds) == {(True, torch.bfloat16), (False, torch.float32)}
    assert runner.model.net[0].weight.dtype == torch.float32 and not torch.equal(
        before, runner.model.net[0].weight
    )
    again = runner_of(epochs=2, optim_wrapper=optim, resume=True)
    again.train()
    assert again.epoch == 2


def test_a_state_without_mixed_precision_fits():
    _, optim = wrapper()
    plain = {k: v for k, v in optim.state_dict().items() if k != 'loss_scaler'}
    optim.load_state_dict(plain)
    assert 'loss_scaler' in optim.state_dict()


@pytest.mark.skipif(torch.cuda.is_available(), reason='needs a machine without CUDA')
def test_float16_needs_cuda():
    with pytest.raises(ValueError, match="use 'bfloat16'"):
        wrapper(dtype='float16')


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="'half'"):
        wrapper(dtype='half')
    with pytest.raises(ValueError, match='loss_scale'):
        wrapper(loss_scale='big')


@pytest.mark.parametrize(
    ('has', 'good'),
    [
        (dict(avx2=True), False),
        (dict(avx512_f=True, avx512_bf16=False), False),
        (dict(avx512_f=True, avx512_bf16=True), True),
        (dict(neon=True, bf16=True), True),
    ],
)
def test_a_cpu_without_bfloat16_instructions_is_refused(has, good, monkeypatch):
    monkeypatch.setattr(torch.cpu, 'get_capabilities', lambda: has, raising=False)
    monkeypatch.setattr(amp, 'get_device', lambda: 'cpu')
    wrapper()  # forced
    monkeypatch.delenv('PCDET_KD_AMP')
    amp.check_amp('cuda')
    if good:
        wrapper()
        return
    with pytest.raises(UserError, match='no bfloat16 instructions.*PCDET_KD_AMP=force') as error:
        wrapper()
    assert '\n' not in str(error.value)


def test_evaluation_in_mixed_precision_is_refused_too(runner_of, monkeypatch):
    runner = runner_of()
    monkeypatch.delenv('PCDET_KD_AMP')
    monkeypatch.setattr(torch.cpu, 'get_capabilities', dict, raising=False)
    monkeypatch.setattr('pcdet_kd.engine.runner.get_device', lambda: 'cpu')
    runner.build_val_loop(dict())
    with pytest.raises(UserError, match='no bfloat16 instructions'):
        runner.build_val_loop(dict(fp16=True))
