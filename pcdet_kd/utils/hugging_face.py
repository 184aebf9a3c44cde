"""Vision models of Hugging Face's transformers, from a local folder or from its cache.

Nothing is downloaded, no code of a model's author runs, and weights are read from safetensors only.
"""

import copy
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import nn

from pcdet_kd.utils.checkpoint import CheckpointError, first_line
from pcdet_kd.utils.errors import MissingPackageError

LOCAL = dict(local_files_only=True, trust_remote_code=False)
WEIGHTS = dict(local_files_only=True, use_safetensors=True, dtype=torch.float32)


class ImageSettings(NamedTuple):
    """How a model wants its images.

    Attributes:
        size: Height and width in pixels.
        mean, std: Per channel, of images in [0, 1].
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


def import_transformers() -> ModuleType:
    """Return the package ``transformers``, which takes seconds to import.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingPackageError(
            f'models of Hugging Face need the package transformers ({error}): pip install '
            "'transformers>=5' safetensors"
        ) from error
    return transformers


def read_model_config(hf_model: str) -> Any:
    """Return the config of a model.

    Args:
        hf_model: A folder that holds ``config.json``, or the name of a model in Hugging Face's
            cache, such as ``'facebook/dinov2-small'``.

    Raises:
        CheckpointError: It is neither, or a model that transformers does not know.
    """
    auto = import_transformers().AutoConfig
    return _read(hf_model, 'config.json', lambda place: auto.from_pretrained(place, **LOCAL))


def build_vision_model(config: Any, hf_model: str, projected: bool = False) -> nn.Module:
    """Return the vision model of a config, with random weights.

    Args:
        config: What :func:`read_model_config` returned. Of a model of images and texts, such as
            CLIP, the image tower is built.
        hf_model: Its name, for messages.
        projected: With CLIP's projection into the space that it shares with texts.

    Raises:
        CheckpointError: It does not look at images, or is not CLIP but ``projected`` was asked for.
    """
    transformers = import_transformers()
    vision = getattr(config, 'vision_config', None) or config
    if projected:
        if config.model_type != 'clip':
            raise CheckpointError(
                f"{hf_model} is a model of type '{config.model_type}', expected 'clip': its images "
                'and texts have one space'
            )
        vision = copy.deepcopy(vision)
        vision.projection_dim = config.projection_dim
        return transformers.CLIPVisionModelWithProjection(vision)
    try:
        net = transformers.AutoModel.from_config(vision, trust_remote_code=False)
    except ValueError as error:
        raise CheckpointError(
            f'{hf_model}: no model can be made of its config.json: {first_line(error)}'
        ) from error
    if net.main_input_name != 'pixel_values':
        raise CheckpointError(
            f"{hf_model} is a {type(net).__name__}, whose input is '{net.main_input_name}', "
            "expected a model of images (input 'pixel_values')"
        )
    return net


def read_image_settings(hf_model: str) -> ImageSettings:
    """Return how a model's own ``preprocessor_config.json`` wants images.

    Where the model's authors cut a central square out of a larger image, ``size`` is that of the
    square: a view of a shape is square and has no edge that could be lost.

    Raises:
        CheckpointError: There is no such file, or it asks for something that a size, a mean and a
            standard deviation can't express.
    """
    import_transformers()
    from transformers.image_processing_base import ImageProcessingMixin

    found, _ = _read(
        hf_model,
        'preprocessor_config.json',
        lambda place: ImageProcessingMixin.get_image_processor_dict(place, local_files_only=True),
    )
    size = (found.get('do_center_crop') and found.get('crop_size')) or found.get('size')
    sides = {size} if isinstance(size, int) else set((size or {}).values())
    factor = found.get('rescale_factor', 1 / 255)
    if len(sides) != 1 or abs(factor * 255 - 1) > 1e-6:
        raise CheckpointError(
            f'{hf_model}: preprocessor_config.json has size {size} and rescale_factor {factor}, '
            'expected one size and 1/255. Give image_size, image_mean and image_std yourself'
        )
    normalizes = found.get('do_normalize', True) and 'image_mean' in found
    return ImageSettings(
        sides.pop(),
        tuple(found['image_mean']) if normalizes else (0.0,) * 3,
        tuple(found['image_std']) if normalizes else (1.0,) * 3,
    )


def load_vision_weights(net: nn.Module, hf_model: str, needed: Collection[str]) -> None:
    """Read a model's own weights, in float32.

    Args:
        net: From :func:`build_vision_model`; unchanged if this fails.
        hf_model: Folder or name.
        needed: Names of the parameters that must be there; the others are not used.

    Raises:
        CheckpointError: There are no safetensors, one is damaged, or a needed parameter is absent
            or of another shape.
    """
    net.load_state_dict(_load(net, hf_model, needed).state_dict())


def _load(net: nn.Module, hf_model: str, needed: Collection[str]) -> nn.Module:
    """Return another model of the same class and config with the weights."""
    folder = _folder_of(hf_model)
    if not any(folder.glob('*.safetensors')):
        raise CheckpointError(
            f'{hf_model} holds no .safetensors file, only '
            f'{", ".join(sorted(p.name for p in folder.iterdir())[:6]) or "nothing"}. Pickled '
            'weights are not read, because they can run code: save the model again with '
            'transformers (save_pretrained), or download its safetensors'
        )
    with quiet():
        loaded, report = _read(
            hf_model,
            'model.safetensors',
            lambda place: type(net).from_pretrained(
                place, config=net.config, output_loading_info=True, **WEIGHTS
            ),
        )
    missing = sorted(set(report['missing_keys']) & set(needed))
    if missing:
        raise CheckpointError(
            f'{hf_model}: the file of weights lacks {len(missing)} that {type(net).__name__} '
            f'needs, such as {", ".join(missing[:3])}. '
            + (
                "The model was saved without its pooling layer: use feature='cls'"
                if all('pooler' in name for name in missing)
                else 'Take the whole model, not a part of it'
            )
        )
    return loaded


def load_clip(hf_model: str) -> tuple[nn.Module, Any]:
    """Return CLIP with its own weights, in eval mode, and its tokenizer.

    Raises:
        CheckpointError: It is another model, or some of it is missing.
    """
    transformers = import_transformers()
    config = read_model_config(hf_model)
    if config.model_type != 'clip':
        raise CheckpointError(
            f"{hf_model} is a model of type '{config.model_type}', expected 'clip'"
        )
    tokenizer = _read(
        hf_model,
        'the tokenizer',
        lambda place: transformers.AutoTokenizer.from_pretrained(place, **LOCAL),
    )
    with torch.device('meta'):
        net = transformers.CLIPModel(config)
    needed = [name for name, _ in net.named_parameters()]
    return _load(net, hf_model, needed).eval(), tokenizer


def _read(hf_model: str, file: str, read: Callable[[str], Any]) -> Any:
    """Return what ``read`` gives for the model's folder, or say what is wrong with it."""
    folder = str(_folder_of(hf_model))
    try:
        return read(folder)
    except Exception as error:  # transformers and safetensors have many
        raise CheckpointError(f'{hf_model}: {file} cannot be used: {first_line(error)}') from error


def _folder_of(hf_model: str) -> Path:
    """Return where a model's files are.

    Given a name, even local reading asks the network (huggingface_hub for lists of clients,
    transformers for safetensors made of a pickle); given a folder it does not.

    Raises:
        CheckpointError: There are none.
    """
    folder = Path(hf_model).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(hf_model, 'config.json')
    except ValueError:  # it can't be a name
        found = None
    if not isinstance(found, str):
        raise CheckpointError(
            f"'{hf_model}' is neither a folder nor a model in Hugging Face's cache. Nothing is "
            "downloaded here: where there is a network, run 'hf download NAME --local-dir DIR' "
            "(NAME as in 'facebook/dinov2-small'), and give hf_model=DIR"
        )
    return Path(found).parent


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing bars and tables; what is missing is an error here anyway."""
    from transformers.utils import logging

    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()
