import pytest
import torch

from pcdet_kd.testing.hugging_face import KINDS, save_tiny_hf_model
from pcdet_kd.utils.hugging_face import load_clip, read_image_settings, read_model_config

transformers = pytest.importorskip('transformers')


@pytest.mark.parametrize('kind', KINDS)
def test_a_tiny_model_is_read_again(kind, tmp_path):
    state = torch.get_rng_state()
    folder = save_tiny_hf_model(tmp_path / kind, kind, channels=6)
    assert torch.equal(torch.get_rng_state(), state)
    config = read_model_config(folder)
    assert getattr(config, 'vision_config', config).num_channels == 6
    assert read_image_settings(folder)[1:] == ((0.4,) * 6, (0.2,) * 6)
    again = save_tiny_hf_model(tmp_path / 'again', kind, channels=6)
    first, second = (
        transformers.AutoModel.from_pretrained(f).state_dict() for f in (folder, again)
    )
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert sum(value.numel() for value in first.values()) < 50_000


def test_its_tokenizer_knows_the_words(tmp_path):
    _, tokenizer = load_clip(save_tiny_hf_model(tmp_path, 'clip', words=('chair', 'a')))
    ids = tokenizer(['a photo of a chair.', 'a table'], padding=True)['input_ids']
    assert ids[0][0] == 1 and ids[0][-1] == 2, 'start and end'
    assert ids[1][2] == 3 and ids[1][-1] == 0, 'unknown word, padding'
    assert len(set(ids[0])) == 7
