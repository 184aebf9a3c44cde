import torch
from torch.nn import functional as F

from pcdet_kd.layers import ProjectionHead


def test_it_is_an_mlp_a_direction_and_prototypes():
    torch.manual_seed(0)
    head = ProjectionHead(6, num_prototypes=9, hidden_channels=(8, 7), bottleneck=5).double()
    with torch.no_grad():
        for p in head.parameters():
            p.add_(torch.rand_like(p))
    x = torch.randn(3, 4, 6, dtype=torch.float64)
    state = head.state_dict()
    y = x
    for i in range(3):
        y = y @ state[f'layers.{i}.weight'].T + state[f'layers.{i}.bias']
        y = F.gelu(y) if i < 2 else y / y.square().sum(-1, keepdim=True).sqrt()
    length, direction = (state[f'last.parametrizations.weight.original{i}'] for i in (0, 1))
    rows = direction * length / direction.square().sum(1, keepdim=True).sqrt()
    torch.testing.assert_close(head(x), y @ rows.T + state['last.bias'])


def test_size_and_first_weights():
    torch.manual_seed(0)
    head = ProjectionHead(384)
    # remcofl/AsymDSD: 2,763,008 parameters of size S
    assert sum(p.numel() for p in head.parameters()) == 2_763_008
    assert all(abs(float(layer.weight.detach().std()) - 0.02) < 1e-3 for layer in head.layers)
    assert all(not layer.bias.any() for layer in head.layers) and not head.last.bias.any()
    lengths = head.last.parametrizations.weight.original0
    # rows of torch's default weights of 256 columns have a length of 1 / sqrt(3)
    torch.testing.assert_close(lengths.mean(), torch.tensor(3**-0.5), rtol=0.01, atol=0)
