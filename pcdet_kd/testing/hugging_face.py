"""Tiny random models in the files of Hugging Face."""

import json
import os
from pathlib import Path

import torch

from pcdet_kd.utils.hugging_face import import_transformers, quiet

_VIT = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24)
_VIT.update(image_size=28, patch_size=14)
_CONV = dict(hidden_sizes=[4, 4, 8, 8], depths=[1, 1, 1, 1])
_TEXT = dict(hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
_TEXT.update(max_position_embeddings=16, bos_token_id=1, eos_token_id=2, pad_token_id=0)
KINDS = {  # names of classes in transformers without 'Config' and 'Model', and their arguments
    'vit': ('ViT', _VIT),
    'dinov2': ('Dinov2', _VIT),
    'clip': ('CLIP', dict(vision_config=_VIT, projection_dim=10)),
    'convnext': ('ConvNext', _CONV),
}
WORDS = ('[PAD]', '<s>', '</s>', '[UNK]', 'a', 'photo', 'depth', 'map', 'of', '.')


def save_tiny_hf_model(
    folder: str | os.PathLike,
    kind: str = 'dinov2',
    channels: int = 3,
    words: tuple[str, ...] = (),
    seed: int = 0,
) -> str:
    """Write a random vision model of a few thousand numbers, as ``hf download`` would lay it out:
    something to try :class:`HFImageBackbone` with where no trained model is at hand.

    Args:
        folder: Where to; it is made.
        kind: ``'vit'``, ``'dinov2'``, ``'clip'`` (with a tokenizer of whole words) or
            ``'convnext'``.
        channels: Of the images.
        words: Of CLIP's tokenizer, beside a few common ones.
        seed: Of the weights.

    Returns:
        The folder, what :class:`HFImageBackbone` takes as ``hf_model``.

    Raises:
        MissingPackageError: transformers is not installed.
    """
    transformers = import_transformers()
    name, arguments = KINDS[kind]
    folder, words = Path(folder), [*WORDS, *words]
    if kind == 'clip':
        arguments = dict(arguments, text_config=dict(_TEXT, vocab_size=len(words)))
        arguments['vision_config'] = dict(arguments['vision_config'], num_channels=channels)
    else:
        arguments = dict(arguments, num_channels=channels)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        net = getattr(transformers, f'{name}Model')(
            getattr(transformers, f'{name}Config')(**arguments)
        )
        for parameter in net.parameters():  # far from the zeros and ones that they start with
            torch.nn.init.normal_(parameter, std=0.3) if parameter.dim() else None
    with quiet():
        net.save_pretrained(folder)
    size = 32 if kind == 'convnext' else 28
    settings = dict(size=dict(height=size, width=size), image_mean=[0.4] * channels)
    settings.update(image_std=[0.2] * channels, do_normalize=True, rescale_factor=1 / 255)
    (folder / 'preprocessor_config.json').write_text(json.dumps(settings))
    if kind == 'clip':
        _save_tokenizer(transformers, folder, words)
    return str(folder)


def _save_tokenizer(transformers: object, folder: Path, words: list[str]) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    ids = {word: i for i, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token='[UNK]'))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single='<s> $A </s>', special_tokens=[('<s>', ids['<s>']), ('</s>', ids['</s>'])]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token='[PAD]',
        bos_token='<s>',
        eos_token='</s>',
        unk_token='[UNK]',
    ).save_pretrained(folder)
