"""Transformer blocks against plain formulas, masks, memory."""

import math

import pytest
import torch

from pcdet_kd.layers import Attention, Transformer, TransformerBlock


def attention_by_hand(layer, x, memory, allowed):
    """Softmax attention in float64, one head at a time."""
    weight, bias = layer.qkv.weight.double(), layer.qkv.bias
    dim = x.shape[-1]
    wq, wk, wv = weight.split(dim)
    bq, bk, bv = (0, 0, 0) if bias is None else bias.double().split(dim)
    q, k, v = x.double() @ wq.T + bq, memory.double() @ wk.T + bk, memory.double() @ wv.T + bv
    size = dim // layer.num_heads
    heads = []
    for h in range(layer.num_heads):
        part = slice(h * size, (h + 1) * size)
        score = torch.einsum('bqd,bsd->bqs', q[..., part], k[..., part]) / math.sqrt(size)
        heads.append(score.masked_fill(~allowed, -math.inf).softmax(-1) @ v[..., part])
    out = torch.cat(heads, -1) @ layer.proj.weight.double().T
    return out if layer.proj.bias is None else out + layer.proj.bias.double()


@pytest.mark.parametrize('masked', [False, True])
@pytest.mark.parametrize('cross', [False, True])
@pytest.mark.parametrize('bias', [False, True])
def test_attention(bias, cross, masked):
    torch.manual_seed(0)
    layer = Attention(12, 3, qkv_bias=bias, bias=bias)
    x, memory = torch.randn(2, 5, 12), torch.randn(2, 7, 12) if cross else None
    keys = memory if cross else x
    mask = torch.rand(2, 5, keys.shape[1]) < 0.6 if masked else None
    if masked:
        mask[..., 0] = True
    allowed = mask if masked else torch.ones(2, 5, keys.shape[1], dtype=torch.bool)
    expected = attention_by_hand(layer, x, keys, allowed)
    torch.testing.assert_close(layer(x, memory, mask).double(), expected, atol=1e-6, rtol=1e-5)
    if masked:
        same = mask[:1].expand(2, -1, -1)
        torch.testing.assert_close(layer(x, memory, mask[0]), layer(x, memory, same))


@pytest.mark.parametrize('norm', ['ln', 'rms'])
def test_block(norm):
    torch.manual_seed(0)
    block = TransformerBlock(8, 2, norm=norm)
    x, pos = torch.randn(2, 5, 8), torch.randn(2, 5, 8)
    with torch.no_grad():
        block.norm1.weight.uniform_(0.5, 2)

    def normalise(x, weight):
        x = x.double()
        if norm == 'ln':
            x = x - x.mean(-1, keepdim=True)
        return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight.double()

    y = (x + pos).double()
    y = y + attention_by_hand(
        block.attn, *[normalise(y, block.norm1.weight)] * 2, torch.ones(2, 5, 5, dtype=torch.bool)
    )
    z = (
        normalise(y, block.norm2.weight) @ block.mlp.fc1.weight.double().T
        + block.mlp.fc1.bias.double()
    )
    z = z / 2 * (1 + torch.erf(z / math.sqrt(2)))
    expected = y + z @ block.mlp.fc2.weight.double().T + block.mlp.fc2.bias.double()
    torch.testing.assert_close(block(x, pos).double(), expected, atol=1e-5, rtol=1e-5)
    assert block.mlp.fc1.out_features == 32


def test_queries_that_look_only_at_memory_do_not_see_each_other():
    torch.manual_seed(0)
    net = Transformer(12, 3, 3, norm='rms', bias=False).eval()
    queries, pos, memory = torch.randn(2, 6, 12), torch.randn(2, 6, 12), torch.randn(2, 4, 12)
    whole = net(queries, pos, memory)[0]
    order = torch.tensor([4, 1])
    torch.testing.assert_close(net(queries[:, order], pos[:, order], memory)[0], whole[:, order])


def test_mask_that_lets_a_query_see_memory_and_itself():
    torch.manual_seed(0)
    block = TransformerBlock(12, 3).eval()
    queries, memory = torch.randn(2, 6, 12), torch.randn(2, 4, 12)
    mask = torch.cat([torch.ones(6, 4, dtype=torch.bool), torch.eye(6, dtype=torch.bool)], 1)
    out = block(queries, memory=torch.cat([memory, queries], 1), mask=mask)
    for i in range(6):
        own = queries[:, i : i + 1]
        torch.testing.assert_close(
            block(own, memory=torch.cat([memory, own], 1)), out[:, i : i + 1]
        )


@pytest.mark.parametrize('efficient', [False, True])
def test_masks_and_memory_follow_the_samples_that_drop_path_keeps(efficient):
    torch.manual_seed(0)
    block = TransformerBlock(8, 2, drop_path=0.5, efficient_drop_path=efficient)
    x, memory = torch.randn(8, 3, 8), torch.randn(8, 4, 8)
    mask = torch.rand(8, 3, 4) < 0.5
    mask[..., 0] = True
    grown = block(x, memory=memory, mask=mask)
    block.drop_path.rate = 0.0
    attended = 2 * (block.attn(block.norm1(x), memory, mask))
    candidates = [x, x + attended]
    candidates += [y + 2 * block.mlp(block.norm2(y)) for y in candidates]
    close = torch.stack([torch.isclose(grown, c, atol=1e-5).flatten(1).all(1) for c in candidates])
    assert close.any(0).all() and close.sum() == 8


def test_drop_path_rates():
    assert [b.drop_path.rate for b in Transformer(8, 5, 2, drop_path=0.2).blocks] == pytest.approx(
        [0, 0.05, 0.1, 0.15, 0.2]
    )
    uniform = Transformer(8, 3, 2, drop_path=0.4, drop_path_ramp=False, efficient_drop_path=True)
    assert [(b.drop_path.rate, b.drop_path.efficient) for b in uniform.blocks] == [(0.4, True)] * 3
    assert Transformer(8, 1, 2, drop_path=0.2).blocks[0].drop_path.rate == 0


def test_taps_are_not_normalised():
    torch.manual_seed(0)
    net = Transformer(8, 3, 2)
    x, pos = torch.randn(2, 4, 8), torch.randn(2, 4, 8)
    out, (first, last) = net(x, pos, taps=(0, 2))
    torch.testing.assert_close(first, net.blocks[0](x, pos))
    torch.testing.assert_close(out, net.norm(last))
    y = x
    for block in net.blocks:
        y = block(y, pos)
    torch.testing.assert_close(last, y)


def test_checkpointing_changes_no_gradient():
    torch.manual_seed(0)
    net = Transformer(8, 2, 2, drop_path=0.5, drop_path_ramp=False)
    x, memory = torch.randn(4, 3, 8, requires_grad=True), torch.randn(4, 5, 8)
    grads = []
    for net.checkpointing in (False, True):
        torch.manual_seed(1)
        grads.append(
            torch.autograd.grad(net(x, memory=memory)[0].sin().sum(), [x, *net.parameters()])
        )
    for a, b in zip(*grads):
        torch.testing.assert_close(a, b)


def test_wrong_arguments():
    with pytest.raises(ValueError, match='8 channels cannot be shared among 3 heads'):
        Attention(8, 3)
    with pytest.raises(ValueError, match="norm is 'bn', must be one of"):
        TransformerBlock(8, 2, norm='bn')
