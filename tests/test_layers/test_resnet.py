"""ResNet trunks: torchvision's names and sizes, forward by hand, and reading weights."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pcdet_kd.layers import ResNet, load_torchvision_weights
from pcdet_kd.layers.resnet import Conv1x1, Conv3x3
from pcdet_kd.utils.checkpoint import CheckpointError


# Published by torchvision, with the 1000-class layer (torchvision.models: num_params of
# ResNet18/34/50_Weights).
@pytest.mark.parametrize(('depth', 'total'), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)])
def test_parameter_counts_of_torchvision(depth, total):
    with torch.device('meta'):
        trunk = ResNet(depth)
    assert sum(p.numel() for p in trunk.parameters()) + 1000 * trunk.out_channels + 1000 == total


# Names and shapes as in torchvision's resnet18/resnet50 files.
@pytest.mark.parametrize(
    ('depth', 'name', 'shape'),
    [
        (18, 'conv1.weight', (64, 3, 7, 7)),
        (18, 'bn1.running_var', (64,)),
        (18, 'layer1.0.conv1.weight', (64, 64, 3, 3)),
        (18, 'layer2.0.downsample.0.weight', (128, 64, 1, 1)),
        (18, 'layer4.1.bn2.bias', (512,)),
        (34, 'layer3.5.conv2.weight', (256, 256, 3, 3)),
        (50, 'layer1.0.downsample.0.weight', (256, 64, 1, 1)),
        (50, 'layer4.2.conv3.weight', (2048, 512, 1, 1)),
    ],
)
def test_names_of_torchvision(depth, name, shape):
    with torch.device('meta'):
        state = ResNet(depth).state_dict()
    assert tuple(state[name].shape) == shape
    assert (
        len(state) == {18: 120, 34: 216, 50: 318}[depth]
    )  # 122, 218, 320 with fc.weight and fc.bias


def conv_bn(x, net, conv, norm, stride=1, padding=0):
    x = F.conv2d(x, net[f'{conv}.weight'], stride=stride, padding=padding)
    return F.batch_norm(
        x, *(net[f'{norm}.{name}'] for name in ('running_mean', 'running_var', 'weight', 'bias'))
    )


@pytest.mark.parametrize('small_input', [True, False])
def test_depth_18_by_hand(small_input):
    torch.manual_seed(0)
    trunk = ResNet(18, base_width=2, small_input=small_input).double().eval()
    net = trunk.state_dict()
    images = torch.rand(2, 3, 40, 36, dtype=torch.float64)
    if small_input:
        x = F.relu(conv_bn(images, net, 'conv1', 'bn1', 1, 1))
    else:
        x = F.max_pool2d(F.relu(conv_bn(images, net, 'conv1', 'bn1', 2, 3)), 3, 2, 1)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            name, stride = f'layer{stage}.{block}', 2 if stage > 1 and block == 0 else 1
            out = F.relu(conv_bn(x, net, f'{name}.conv1', f'{name}.bn1', stride, 1))
            out = conv_bn(out, net, f'{name}.conv2', f'{name}.bn2', 1, 1)
            if f'{name}.downsample.0.weight' in net:
                x = conv_bn(x, net, f'{name}.downsample.0', f'{name}.downsample.1', stride)
            x = F.relu(out + x)
    torch.testing.assert_close(trunk(images), x.mean((2, 3)))


def test_the_stride_of_depth_50_is_in_the_3x3_convolution():
    trunk = ResNet(50, base_width=2)
    assert trunk.layer2[0].conv1.stride == (1, 1) and trunk.layer2[0].conv2.stride == (2, 2)
    assert trunk.eval()(torch.rand(1, 3, 8, 8)).shape == (1, 64)


def write(tmp_path, change=lambda state: None, **arguments):
    trunk = ResNet(18, **{'base_width': 2, **arguments})
    state = {**trunk.state_dict(), 'fc.weight': torch.ones(5, 16), 'fc.bias': torch.ones(5)}
    change(state)
    file = tmp_path / 'resnet18.pth'
    torch.save(state, file)
    return trunk, file


def test_weights_are_read(tmp_path):
    source, file = write(tmp_path)
    trunk = ResNet(18, base_width=2)
    load_torchvision_weights(trunk, file)
    for name, value in trunk.state_dict().items():
        assert torch.equal(value, source.state_dict()[name]), name


def test_files_without_batch_counters_are_read(tmp_path):
    def old(state):
        for name in [name for name in state if name.endswith('num_batches_tracked')]:
            del state[name]

    _, file = write(tmp_path, old)
    load_torchvision_weights(ResNet(18, base_width=2), file)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            lambda s: s.pop('layer1.0.conv1.weight'),
            r'missing in the file \(1\):\s+layer1\.0\.conv1\.weight',
        ),
        (lambda s: s.update(extra=torch.ones(1)), r'unknown to the model \(1\):\s+extra'),
        (lambda s: s.update({'bn1.bias': torch.ones(3)}), r'bn1\.bias: file \(3,\), model \(2,\)'),
        (lambda s: s.update(epoch=3), 'holds no weights'),
    ],
)
def test_a_file_that_does_not_fit_is_an_error_and_changes_nothing(tmp_path, change, message):
    _, file = write(tmp_path, change)
    trunk = ResNet(18, base_width=2)
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    with pytest.raises(CheckpointError, match=message):
        load_torchvision_weights(trunk, file)
    assert all(torch.equal(value, before[name]) for name, value in trunk.state_dict().items())


def test_a_file_of_another_stem_is_an_error(tmp_path):
    _, file = write(tmp_path)
    with pytest.raises(
        CheckpointError, match=r'base width 2(.|\n)*file \(2, 3, 7, 7\), model \(2, 3, 3, 3\)'
    ):
        load_torchvision_weights(ResNet(18, base_width=2, small_input=True), file)


def test_a_missing_or_damaged_file_is_an_error(tmp_path):
    trunk = ResNet(18, base_width=2)
    with pytest.raises(CheckpointError, match='is not a file'):
        load_torchvision_weights(trunk, tmp_path / 'none.pth')
    _, file = write(tmp_path)
    for damaged in (file.read_bytes()[:2000], b'', b'<html>not found</html>'):
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError, match='again'):
            load_torchvision_weights(trunk, file)


def test_unknown_depth():
    with pytest.raises(ValueError, match='depth is 20'):
        ResNet(20)


@pytest.mark.parametrize('depth', [18, 50])
def test_gradients_lie_as_their_weights(depth):
    """As DistributedDataParallel wants them, although the images are channels last: it warns
    otherwise.
    """
    net = ResNet(depth, base_width=4)
    net(torch.randn(2, 3, 32, 32)).sum().backward()
    assert all(p.grad.stride() == p.stride() for p in net.parameters())


def test_a_narrow_1x1_convolution_trains_on_a_processor_without_avx512():
    """oneDNN's backward pass with a stride and few channels would write past its memory there."""
    code = (
        'import torch; from pcdet_kd.layers.resnet import Conv1x1\n'
        'for channels in (2, 3, 4, 7):\n'
        '    images = torch.rand(2, channels, 8, 8).to(memory_format=torch.channels_last)\n'
        '    for _ in range(3): Conv1x1(channels, 8, 2)(images.requires_grad_()).sum().backward()\n'
    )
    run_with(code, ONEDNN_MAX_CPU_ISA='AVX2', ATEN_CPU_CAPABILITY='avx2')


def test_a_strided_3x3_convolution_of_one_column_has_finite_gradients_in_bfloat16():
    """oneDNN would read past the rows for the weight's gradient, with AVX-512; here glibc fills
    the free memory with huge numbers (0x7f7f is 3e38 in bfloat16).
    """
    code = (
        'import torch; from pcdet_kd.layers.resnet import Conv3x3\n'
        'conv = Conv3x3(16, 16, 2).bfloat16()\n'
        'conv(torch.rand(8, 16, 4, 1).bfloat16()).sum().backward()\n'
        'assert conv.weight.grad.abs().max() < 100, conv.weight.grad\n'
    )
    run_with(code, MALLOC_PERTURB_='128')


def run_with(code, **environment):
    environment = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, '-c', code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('size', [(8, 8), (7, 5), (4, 1), (1, 1)])
@pytest.mark.parametrize(('ours', 'kernel'), [(Conv1x1, 1), (Conv3x3, 3)])
def test_a_strided_convolution_equals_torch(size, ours, kernel):
    torch.manual_seed(0)
    ours = ours(3, 5, 2).double()
    theirs = nn.Conv2d(3, 5, kernel, 2, kernel // 2, bias=False).double()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    images = torch.rand(2, 3, *size, dtype=torch.float64)
    results = []
    for layer in (ours, theirs):
        x = images.clone().requires_grad_(True)
        out = layer(x)
        out.square().sum().backward()
        results.append((out.detach(), x.grad, layer.weight.grad))
    for found, expected in zip(*results):
        torch.testing.assert_close(found, expected)
