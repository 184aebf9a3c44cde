import torch

from pcdet_kd.layers import LatentPredictor


def small():
    torch.manual_seed(0)
    return LatentPredictor(12, embed_dims=8, depth=2, num_heads=2).eval()


def inputs(masks=2):
    mask = torch.zeros(2 * masks, 10, dtype=torch.bool)
    for row in mask:
        row[torch.randperm(10)[:6]] = True
    return torch.randn(1, 1, 12), torch.randn(2, 10, 12), torch.randn(2 * masks, 5, 12), mask


def test_a_query_sees_visible_tokens_only():
    """The result of each query alone is its result beside the others."""
    net = small()
    token, positions, memory, mask = inputs()
    out = net(token, positions, memory, mask)
    assert out.shape == (4, 6, 12)
    for row, (hidden, found) in enumerate(zip(mask, out)):
        for column, expected in zip(hidden.nonzero().flatten(), found):
            alone = torch.zeros(1, 10, dtype=torch.bool)
            alone[0, column] = True
            one = net(token, positions[row // 2 : row // 2 + 1], memory[row : row + 1], alone)
            torch.testing.assert_close(one[0, 0], expected, rtol=1e-5, atol=1e-6)


def test_the_memory_counts():
    net = small()
    token, positions, memory, mask = inputs()
    out = net(token, positions, memory, mask)
    changed = net(token, positions, memory + torch.randn_like(memory), mask)
    assert (out - changed).abs().flatten(1).amax(1).min() > 1e-4


def test_size():
    # remcofl/AsymDSD, size S
    assert sum(p.numel() for p in LatentPredictor().parameters()) == 2_804_736
