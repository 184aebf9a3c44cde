"""Point-wise layers against 1x1 convolutions, and the order of dropout."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pcdet_kd.layers import MLP, LinearNormAct, ResidualMLP


@pytest.mark.parametrize('training', [True, False])
def test_equals_a_1x1_convolution_with_batch_norm(training):
    layer = LinearNormAct(5, 7).double().train(training)
    conv, norm = nn.Conv2d(5, 7, 1).double(), nn.BatchNorm2d(7).double().train(training)
    conv.weight.data = layer.linear.weight.data[:, :, None, None].clone()
    conv.bias.data = layer.linear.bias.data.clone()
    x = torch.randn(3, 4, 6, 5, dtype=torch.float64)
    expected = F.relu(norm(conv(x.permute(0, 3, 1, 2)))).permute(0, 2, 3, 1)
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.norm.running_var, norm.running_var)


def test_channels_biases_and_last_activation():
    mlp = MLP([3, 4, 5], bias=[True, False], dropout=[0.5, 0.0], last_act=False)
    assert mlp.out_channels == 5
    assert mlp[0].linear.bias is not None and mlp[1].linear.bias is None
    assert mlp[0].drop is not None and mlp[1].drop is None
    assert mlp[0].act is not None and mlp[1].act is None
    x = torch.randn(4, 3)
    assert MLP([3])(x) is x
    assert MLP([3, 2], norm='ln', act='gelu')(torch.randn(1, 3)).shape == (1, 2)


def test_dropout_before_or_after():
    x = torch.ones(1000, 2)
    torch.manual_seed(0)
    after = LinearNormAct(2, 1, dropout=0.5)
    after.norm.bias.data += 10  # all activations positive: zeros come from dropout alone
    assert 0.4 < float((after(x) == 0).float().mean()) < 0.6
    first = LinearNormAct(2, 1, dropout=0.5, dropout_first=True)
    first.norm.bias.data += 10
    assert not (first(x) == 0).any()
    assert len(first(x).unique()) == 2
    assert len(first.eval()(x).unique()) == 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(norm='batch'), "norm is 'batch', must be one of"),
        (dict(act='tanh'), "act is 'tanh', must be one of"),
        (dict(dropout=[0.1, 0.2, 0.3]), 'dropout has 3 values'),
        (dict(bias=[True]), 'bias has 1 values'),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLP([3, 4, 5], **arguments)


def test_residual_block_reference():
    block = ResidualMLP(8, ratio=0.25).double().eval()
    assert block.net1.out_channels == 2 and block.net1.linear.bias is None
    x = torch.randn(2, 3, 8, dtype=torch.float64)
    scale = 1 / (1 + 1e-5) ** 0.5  # BatchNorm as initialised
    hidden = F.relu(x @ block.net1.linear.weight.T * scale)
    torch.testing.assert_close(block(x), F.relu(x + hidden @ block.net2.linear.weight.T * scale))
    with pytest.raises(ValueError, match='leaves no hidden channel'):
        ResidualMLP(2, ratio=0.25)


@pytest.mark.parametrize('norm', ['bn', 'ln', None])
@pytest.mark.parametrize('dropout_first', [False, True])
def test_the_gradient_of_the_activation_in_place_is_not_copied(norm, dropout_first):
    """An in-place operation on a view puts a CopySlices into the graph, which copies all of the
    gradient, twice.
    """
    layer = LinearNormAct(4, 6, norm, dropout=0.1, dropout_first=dropout_first)
    nodes, names = [layer(torch.rand(2, 5, 3, 4)).grad_fn], set()
    while nodes:
        node = nodes.pop()
        if node is not None:
            names.add(node.name())
            nodes += [following for following, _ in node.next_functions]
    assert any('Relu' in name for name in names)
    assert not any('CopySlices' in name for name in names)
