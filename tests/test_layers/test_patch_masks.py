import pytest
import torch

from pcdet_kd.layers import patch_masks
from pcdet_kd.layers.patch_masks import KINDS


@pytest.fixture
def centres():
    torch.manual_seed(0)
    return torch.nn.functional.normalize(torch.randn(3, 64, 3), dim=-1)


@pytest.mark.parametrize(('ratio', 'hidden'), [(0.6, 38), (0.7, 45), (0.8, 51), (0.85, 54)])
@pytest.mark.parametrize('kind', KINDS)
def test_each_row_hides_equally_many(centres, kind, ratio, hidden):
    """The counts are those of the published code for 64 patches."""
    mask = patch_masks(centres, ratio, masks=4, kind=kind)
    assert mask.shape == (12, 64) and mask.dtype == torch.bool
    assert mask.sum(1).tolist() == [hidden] * 12
    assert len({tuple(row.tolist()) for row in mask}) == 12


def test_inverse_blocks_are_visible(centres, monkeypatch):
    """At 70 % of 64 patches: four blocks of six, and what is visible beside them is the least that
    makes up the number.
    """
    seen = []
    from pcdet_kd.layers import patch_masks as function

    module = __import__('sys').modules[function.__module__]
    blocks = module._blocks

    def spy(*args):
        seen.append((args[2], blocks(*args)))
        return seen[-1][1]

    monkeypatch.setattr(module, '_blocks', spy)
    mask = patch_masks(centres, 0.7, masks=50)
    (size, union), visible = seen[0], ~mask
    assert size == 6
    counts = union.sum(1)
    assert counts.min() >= 6 and counts.max() <= 24  # four blocks, which may overlap
    assert counts.float().mean() > 18
    few = counts <= 19
    assert (union & visible).sum(1)[few].equal(counts[few])  # all of the blocks are visible
    assert (union & visible).sum(1)[~few].eq(19).all()  # or nothing but blocks


def test_blocks_are_neighbours():
    """On a line, a block is a run of six patches around its middle."""
    line = torch.arange(64.0)[None, :, None] * torch.tensor([1.0, 0, 0])
    union = __import__('sys').modules[patch_masks.__module__]._blocks(line, 30, 6, 6 / 64)
    for row in union:
        where = row.nonzero().flatten()
        assert len(where) == 6 and where[-1] - where[0] == 5


def test_blocks_are_hidden(centres):
    torch.manual_seed(1)
    hidden = patch_masks(centres, 0.7, masks=20, kind='block')
    uniform = patch_masks(centres, 0.7, masks=20, kind='uniform')

    def together(mask):  # share of hidden patches whose nearest patch is hidden too
        near = torch.cdist(centres, centres).topk(2, largest=False).indices[..., 1]
        mask = mask.view(3, 20, 64).float()
        return (mask * mask.gather(2, near[:, None].expand(-1, 20, -1))).sum() / mask.sum()

    assert together(hidden) > together(uniform) + 0.05


@pytest.mark.parametrize('ratio', [0.0, 1.0])
def test_all_or_nothing_is_an_error(centres, ratio):
    with pytest.raises(ValueError, match='some must be hidden and some visible'):
        patch_masks(centres, ratio)
    with pytest.raises(ValueError, match="kind is 'blocks'"):
        patch_masks(centres, kind='blocks')
