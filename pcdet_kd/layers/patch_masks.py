"""Which patches of a cloud are hidden in masked pre-training."""

import torch
from torch import Tensor

from pcdet_kd.utils.arguments import check_choice

KINDS = ('inverse_block', 'block', 'uniform')


def patch_masks(
    centres: Tensor,
    ratio: float = 0.7,
    masks: int = 1,
    kind: str = 'inverse_block',
    block_ratio: float = 0.1,
    adjust_ratio: float = 0.1,
) -> Tensor:
    """Draw random masks of patches (AsymDSD, NeurIPS 2025, appendix B.2).

    Blocks are the ``int(block_ratio * P)`` nearest patches of randomly chosen ones, themselves
    included. ``'inverse_block'`` keeps the blocks' union visible, ``'block'`` hides it. Then
    patches drawn at random change sides, until exactly ``round(ratio * P)`` are hidden. With
    ``'uniform'`` all are drawn at random.

    Args:
        centres: (B, P, 3) centres of the patches.
        ratio: Share of hidden patches; at least one must stay, and at least one be hidden.
        masks: M, drawn independently for each cloud.
        kind: One of the three.
        block_ratio: Share of the patches in a block.
        adjust_ratio: Share of the patches by which inverse blocks together count more than is to
            stay visible (they overlap), and blocks less than is to be hidden.

    Returns:
        (B * M, P) bool, True where hidden; those of one cloud in sequence. Each row hides equally
        many.

    Raises:
        ValueError: ``kind`` is unknown, or all patches would be hidden, or none.
    """
    check_choice('kind', kind, KINDS)
    batch, num, _ = centres.shape
    hidden = round(ratio * num)
    if not 0 < hidden < num:
        raise ValueError(
            f'a mask ratio of {ratio} hides {hidden} of {num} patches: some must be hidden and '
            'some visible'
        )
    noise = torch.rand(batch * masks, num, device=centres.device)
    if kind == 'uniform':
        preferred = torch.zeros_like(noise)
    else:
        share = ratio - adjust_ratio if kind == 'block' else 1 - ratio + adjust_ratio
        preferred = _blocks(centres, masks, max(1, int(block_ratio * num)), share).float()
    # the noise, below 1, decides among those that are in a block and among those that are not
    count = hidden if kind == 'block' else num - hidden
    chosen = (preferred + noise).topk(count, dim=1).indices
    picked = torch.zeros_like(noise, dtype=torch.bool).scatter_(1, chosen, True)
    return picked if kind == 'block' else ~picked


def _blocks(centres: Tensor, masks: int, size: int, share: float) -> Tensor:
    """Return (B * M, P) bool: the union of random blocks that together cover ``share`` of the
    patches if they do not overlap.
    """
    batch, num, _ = centres.shape
    count = min(max(1, round(num * share / size)), num)
    coords = centres.float()
    nearest = torch.cdist(coords, coords).topk(size, dim=2, largest=False).indices  # (B, P, size)
    start = torch.rand(batch, masks, num, device=centres.device).topk(count, dim=2).indices
    members = nearest.gather(1, start.flatten(1).unsqueeze(2).expand(-1, -1, size))
    members = members.reshape(batch * masks, count * size)
    union = torch.zeros(batch * masks, num, dtype=torch.bool, device=centres.device)
    return union.scatter_(1, members, True)
