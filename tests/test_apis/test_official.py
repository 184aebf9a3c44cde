"""Published state dicts, rebuilt with random weights from their keys and shapes, become ours
without a remainder.
"""

import sys
from pathlib import Path

import pytest
import torch

from pcdet_kd.apis.official import convert_file, convert_official, fitting_archs
from pcdet_kd.apis.official_archs import OFFICIAL
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import CheckpointError, load_checkpoint_file, load_weights
from pcdet_kd.utils.stored_model import build_stored_model

sys.path.insert(0, str(Path(__file__).parents[2] / 'benchmarks'))
from peer_models.asymdsd_pretrain import PlainAsymDSD

KEYS = Path(__file__).parents[1] / 'data' / 'official_keys'


def shapes_of_a_pretraining(mode):
    """Keys and shapes of the plain form, which has the module names of the published code."""
    with torch.device('meta'):
        return {k: tuple(v.shape) for k, v in PlainAsymDSD(mode).state_dict().items()}


UNSEEN = {  # published without a list of keys: of the generator only the shape is known
    'pointcmt_generator': {'cls.1.weight': (3072, 512)},
    'asymdsd_pretrain': shapes_of_a_pretraining('dual'),
    'asymdsd_pretrain_cls': shapes_of_a_pretraining('cls'),
    'asymdsd_pretrain_mpm': shapes_of_a_pretraining('mpm'),
}


def official_weights(arch):
    torch.manual_seed(0)
    shapes = UNSEEN.get(arch) or {
        key: () if shape == 'scalar' else tuple(map(int, shape.split('x')))
        for key, shape in (
            line.split()
            for line in (KEYS / f'{arch}.txt').read_text().splitlines()
            if not line.startswith('#')
        )
    }
    weights = {
        key: torch.randn(shape) if shape else torch.tensor(7) for key, shape in shapes.items()
    }
    if arch == 'dgcnn_cls':  # each BatchNorm is held twice
        weights.update(
            {
                f'conv{i}.1.{k[4:]}': v
                for k, v in weights.items()
                for i in range(1, 6)
                if k.startswith(f'bn{i}.')
            }
        )
    return weights


def fingerprint(tensors):
    """Number and power sums of the bits: equal for equal numbers in any order and shape."""
    bits = torch.cat([v.flatten() for v in tensors]).view(torch.int32).long()
    return len(bits), *((bits**power).sum().item() for power in (1, 2, 3))


def test_every_list_of_keys_has_its_architecture():
    assert {path.stem for path in KEYS.glob('*.txt')} | set(UNSEEN) == set(OFFICIAL)
    for path in KEYS.glob('*.txt'):
        assert path.read_text().startswith(f'# {OFFICIAL[path.stem].source}:'), path.name


@pytest.mark.parametrize('arch', OFFICIAL)
def test_every_tensor_lands(arch):
    weights = official_weights(arch)
    conversion = convert_official(weights, OFFICIAL[arch])
    assert {old for old, _ in conversion.renamed} | set(conversion.left) >= set(weights) - set(
        UNSEEN.get(arch, ())
    )
    # nothing is lost: the numbers are the same ones, in whatever shape and order
    for kind in ('weight', 'bias', 'running_var'):
        theirs = [weights[k] for k in weights if k.endswith(kind) and k not in conversion.left]
        ours = [v for k, v in conversion.weights.items() if k.endswith(kind)]
        if theirs and arch not in UNSEEN:
            assert fingerprint(theirs) == fingerprint(ours), kind
    model = build_stored_model(conversion.model, conversion.weights, arch)
    load_weights(model, conversion.weights)
    assert sum(p.numel() for p in model.parameters()) > 0


@pytest.mark.parametrize('arch', ['pointnet_yanx27'])
def test_a_file_is_converted_with_its_origin(tmp_path, arch):
    weights = official_weights(arch)
    path, output = tmp_path / 'best_model.pth', tmp_path / 'ours.pth'
    torch.save(dict(model_state_dict={f'module.{k}': v for k, v in weights.items()}, epoch=3), path)
    conversion, inert = convert_file(path, output, arch)
    assert not inert
    saved = load_checkpoint_file(output)
    assert (
        saved['meta']['converted_from'] == OFFICIAL[arch].source and saved['meta']['arch'] == arch
    )
    assert (
        saved['meta']['model'] == conversion.model and conversion.model['head']['num_classes'] == 40
    )
    load_weights(MODELS.build(saved['meta']['model']), output)
    with pytest.raises(CheckpointError, match=r"'pointnet', expected one of .*pointnet_yanx27"):
        convert_file(path, output, 'pointnet')


def test_the_message_names_the_network_that_a_file_is_of(tmp_path):
    path = tmp_path / 'best_model.pth'
    torch.save(official_weights('pointmlp'), path)
    for arch, why in (
        (
            'pointmlp_elite',
            r"'embedding\.net\.0\.weight' \('backbone\.embedding\.linear\.weight' here\) has shape",
        ),
        ('dgcnn_cls', r'keys are unknown'),
        ('pointcmt_generator', 'is not .* is one matrix'),
    ):
        with pytest.raises(
            CheckpointError, match=rf'best_model\.pth.*{why}.*; it fits --arch pointmlp$'
        ):
            convert_file(path, tmp_path / 'ours.pth', arch)
    torch.save(official_weights('pointnet_yanx27'), path)
    with pytest.raises(
        CheckpointError,
        match=r'best_model\.pth is not antao97.*unknown.*pointnet_fxia22 or pointnet_yanx',
    ):
        convert_file(path, tmp_path / 'ours.pth', 'dgcnn_cls')
    with pytest.raises(CheckpointError, match=r"Did you mean 'pointmlp'"):
        convert_file(path, tmp_path / 'ours.pth', 'pointmpl')


def test_the_published_file_is_not_overwritten(tmp_path):
    path = tmp_path / 'best_model.pth'
    torch.save(official_weights('pointmlp_elite'), path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match='is the published file itself'):
        convert_file(path, tmp_path / '.' / 'best_model.pth', 'pointmlp_elite')
    assert path.read_bytes() == before
    with pytest.raises(CheckpointError, match=r'ours\.safetensors: .*name with \.pth'):
        convert_file(path, tmp_path / 'ours.safetensors', 'pointmlp_elite')


@pytest.mark.parametrize(('classes', 'patches'), [(15, 128), (40, 64)])
def test_point_mae_makes_as_many_patches_as_for_its_data(classes, patches):
    weights = official_weights('point_mae_cls')
    last = max(
        (k for k in weights if k.startswith('cls_head_finetune.8.')), key=lambda k: weights[k].dim()
    )
    weights[last], weights[last.replace('weight', 'bias')] = (
        torch.zeros(classes, 256),
        torch.zeros(classes),
    )
    assert (
        convert_official(weights, OFFICIAL['point_mae_cls']).model['backbone']['num_patches']
        == patches
    )
    assert OFFICIAL['point_mae_cls'].model['backbone']['num_patches'] == 64


def test_a_partial_or_foreign_state_dict_is_refused():
    arch = OFFICIAL['pointnet2_ssg_yanx27']
    weights = official_weights('pointnet2_ssg_yanx27')
    with pytest.raises(CheckpointError, match=r'1 of \d+ keys are unknown, such as extra'):
        convert_official({**weights, 'extra': torch.ones(1)}, arch)
    with pytest.raises(
        CheckpointError,
        match=r'1 of \d+ weights of our model are missing in it.*set_abstractions\.0\.mlps\.0\.1',
    ):
        convert_official({k: v for k, v in weights.items() if k != 'sa1.mlp_convs.1.weight'}, arch)
    with pytest.raises(CheckpointError, match=r'shape \(128, 134, 1, 1\), expected \(128, 131\)'):
        convert_official({**weights, 'sa2.mlp_convs.0.weight': torch.ones(128, 134, 1, 1)}, arch)
    for kernel in (torch.ones(128, 131, 3, 3), torch.ones(128, 131, 1, 2)):
        with pytest.raises(CheckpointError, match=r'expected \(128, 131\)'):
            convert_official({**weights, 'sa2.mlp_convs.0.weight': kernel}, arch)
    with pytest.raises(CheckpointError, match=r"no matrix in it becomes 'head\.fc\.weight'"):
        convert_official({k: v for k, v in weights.items() if not k.startswith('fc3')}, arch)
    with pytest.raises(CheckpointError, match=r"no matrix in it becomes 'head\.fc\.weight'"):
        convert_official({**weights, 'fc3.weight': torch.tensor(1.0)}, arch)
    with pytest.raises(CheckpointError, match=r"'fc1\.bias' holds NaN"):
        convert_official({**weights, 'fc1.bias': weights['fc1.bias'] / 0}, arch)


def test_the_networks_that_weights_are_of():
    weights = official_weights('pointmlp_elite')
    assert fitting_archs(weights) == ['pointmlp_elite']
    assert fitting_archs({**weights, 'more': torch.zeros(1)}) == []
