import torch

from pcdet_kd.layers.rms_norm import RMSNorm


def test_it_divides_by_the_root_mean_square():
    torch.manual_seed(0)
    norm = RMSNorm(6).double()
    torch.nn.init.uniform_(norm.weight)
    x = torch.randn(2, 3, 6, dtype=torch.float64)
    expected = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * norm.weight
    torch.testing.assert_close(norm(x), expected)


def test_autocast_loses_nothing_and_does_not_warn():
    norm = RMSNorm(8)
    x = torch.randn(4, 8).bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        out = norm(x)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, norm(x.float()), rtol=0, atol=0)
