"""The base of layers that sample centres from a cloud."""

from torch import Tensor, nn

from pcdet_kd.ops import farthest_point_sample, group
from pcdet_kd.utils.arguments import check_choice


class CentreSampler(nn.Module):
    """Base of layers that describe centres by their neighbours.

    Args:
        compat: None, or ``'pointnet2'`` for the conventions of the pointnet2 CUDA extension.
        fps_start: First centre: 0, or ``'random'`` in training (0 in evaluation).

    Raises:
        ValueError: ``fps_start`` is neither of the two.
    """

    def __init__(self, compat: str | None = None, fps_start: int | str = 0) -> None:
        super().__init__()
        check_choice('fps_start', fps_start, (0, 'random'))
        self.compat = compat
        self.fps_start = fps_start

    def sample_centres(
        self, coords: Tensor, num_points: int, start: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Return M = min(num_points, N) centres (B, M, 3) of clouds (B, N, 3), and their indices
        (B, M). In evaluation the first one is point ``start``.
        """
        start = self.fps_start if self.training else start
        chosen = farthest_point_sample(
            coords, min(num_points, coords.shape[1]), start=start, compat=self.compat
        )
        return group(coords, chosen), chosen
