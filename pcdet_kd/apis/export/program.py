"""A classifier as one function of one tensor, and its graph."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pcdet_kd.apis.complexity import random_inputs
from pcdet_kd.apis.export.description import ExportError
from pcdet_kd.utils.checkpoint import first_line

OUTPUTS = ('logits', 'feature')


class Deployed(nn.Module):
    """A classifier that takes a tensor and returns logits (B, K) and the feature (B, D) that the
    last layer sees.

    Args:
        model: A classifier; it is put into eval mode.

    Raises:
        ExportError: The model is no classifier.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not all(hasattr(model, name) for name in ('extract', 'head', 'input_key')):
            raise ExportError(
                f'the model is a {type(model).__name__}, expected a classifier: export takes a '
                'config of a PointClassifier, or of a distiller, whose student it takes'
            )
        self.model = model.eval()

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map points (B, N, C), or views (B, V, 3, H, W), to logits and features."""
        _, out = self.model.extract({self.model.input_key: inputs})
        return out.logits, out.feat


def example(
    deployed: Deployed, batch_size: int, num_points: int, image_size: int = 224, num_views: int = 6
) -> Tensor:
    """Return random inputs of a batch: points on the unit sphere, or views."""
    inputs = random_inputs(deployed.model, batch_size, num_points, image_size, num_views)
    return inputs[deployed.model.input_key]


def trace(deployed: Deployed, inputs: Tensor) -> torch.export.ExportedProgram:
    """Return the graph of a classifier, whose first axis is any batch size; this package's ops are
    still in it.

    Args:
        deployed: The classifier.
        inputs: An example with at least two samples.

    Raises:
        ExportError: The network does something that a graph cannot hold.
    """
    batch = torch.export.Dim('batch', min=1, max=2**16)
    with quiet(), torch.no_grad():
        try:
            return torch.export.export(deployed, (inputs,), dynamic_shapes=({0: batch},))
        except Exception as error:  # torch.export has many
            raise ExportError(
                f'{type(deployed.model.backbone).__name__} cannot be exported: '
                f'{first_line(error)}. torch.export must be able to follow its forward, see '
                "torch's page on export"
            ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what torch warns of itself while it exports."""
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', '.*LeafSpec', FutureWarning)
        yield
