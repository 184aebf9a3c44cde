"""AsymDSD's predictor: what is behind a mask, from what is visible."""

from torch import Tensor, nn

from pcdet_kd.layers.linear import Linear
from pcdet_kd.layers.patch_embedding import take_visible
from pcdet_kd.layers.transformer import Transformer


class LatentPredictor(nn.Module):
    """A thin transformer whose queries look at visible tokens only, not at each other.

    So each masked patch is predicted by itself, and the positions of other queries tell nothing of
    the shape. One linear layer maps the mask token, positions and visible tokens to the predictor's
    width; positions are added before each block. AsymDSD-S: 2,804,736 parameters.

    Args:
        in_channels: Channels D of the encoder.
        embed_dims: Channels d inside.
        depth: Blocks.
        num_heads: Attention heads.
        checkpointing: As in :class:`Transformer`.
    """

    def __init__(
        self,
        in_channels: int = 384,
        embed_dims: int = 192,
        depth: int = 6,
        num_heads: int = 3,
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.embed = Linear(in_channels, embed_dims)
        self.blocks = Transformer(
            embed_dims, depth, num_heads, norm='rms', bias=False, checkpointing=checkpointing
        )
        self.project = Linear(embed_dims, in_channels)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02, a=-0.1, b=0.1)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in self.blocks.blocks:
            nn.init.xavier_uniform_(block.attn.qkv.weight)

    def forward(
        self, mask_token: Tensor, positions: Tensor, memory: Tensor, mask: Tensor
    ) -> Tensor:
        """Predict the embeddings of masked patches.

        Args:
            mask_token: (1, 1, D).
            positions: (B, P, D) embedded centres of all patches of a crop.
            memory: (B * M, S, D) the encoder's output for each mask's visible tokens, class token
                included if there is one.
            mask: (B * M, P) bool, True where masked, M masks per crop in sequence.

        Returns:
            (B * M, Q, D), the masked patches in the order of their index.
        """
        places = take_visible(self.embed(positions), ~mask)
        queries = self.embed(mask_token).expand(*places.shape[:2], -1)
        return self.project(self.blocks(queries, places, self.embed(memory))[0])
