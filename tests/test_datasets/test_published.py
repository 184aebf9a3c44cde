import pytest

from pcdet_kd.datasets.published import PUBLISHED
from pcdet_kd.registry import DATASETS


@pytest.mark.parametrize('name', PUBLISHED)
def test_every_entry_is_usable(name):
    entry = PUBLISHED[name]
    assert entry.kind == '' or DATASETS.get(entry.kind) is not None
    assert entry.urls or entry.by_hand
    assert all(url.startswith('https://') and url.endswith('.zip') for url in entry.urls)
    assert len({url.rpartition('/')[2] for url in entry.urls}) <= 1
    assert entry.known_hash or len(entry.urls) <= 1  # a mirror is not trusted without a hash
    assert all(len(digest) == 32 for digest in entry.md5.values())
    assert entry.terms and entry.page and not set(entry.counts) - {'train', 'val', 'test'}


def test_folders_differ():
    assert len({entry.folder for entry in PUBLISHED.values()}) == len(PUBLISHED)
