"""Whether parts fit together, and give what a method needs."""

from torch import Tensor, nn

from pcdet_kd.structures import ModelOutput


def feature_width(model: nn.Module) -> int | None:
    """Return the width of a student's or teacher's feature; None where only the output tells."""
    if hasattr(model, 'feat_channels'):
        return model.feat_channels
    return getattr(getattr(model, 'head', None), 'feat_channels', None)


def check_width(owner: object, what: str, width: int | None, of: str, needed: int | None) -> None:
    """Check that two widths are the same, where both are known.

    Args:
        owner: The distiller, for the message.
        what: The part whose width can be changed, such as ``'helpers.connector.in_channels'``.
        width: Its width.
        of: What it must fit.
        needed: The width of that.

    Raises:
        ValueError: They differ.
    """
    if None not in (width, needed) and width != needed:
        raise ValueError(
            f'{type(owner).__name__}: {what} is {width}, expected {needed}, the width of {of}'
        )


def logits_of(owner: object, teacher: ModelOutput) -> Tensor:
    """Return the teacher's logits (B, K).

    Args:
        owner: The distiller, for the message.
        teacher: The teacher's output.

    Raises:
        ValueError: It has none.
    """
    if teacher.logits is None:
        raise ValueError(
            f'{type(owner).__name__} needs logits, and the teacher has features only: use a '
            'teacher with a head, or a method of features such as FeatureKD'
        )
    return teacher.logits
