import pytest

from pcdet_kd.engine.dataloader import build_dataloader, stop_workers
from pcdet_kd.engine.hooks import worker_init

LOADER = dict(batch_size=4, num_workers=0, persistent_workers=True, collate_fn=dict(type='collate_points'),
              sampler=dict(type='DefaultSampler', shuffle=False),
              dataset=dict(type='TinyClouds', num=6, pipeline=[dict(type='PackPointInputs')]))


def test_what_torch_refuses_without_workers_is_left_out():
    loader = build_dataloader(dict(LOADER, prefetch_factor=2))
    assert not loader.persistent_workers and [len(b['data_samples']) for b in loader] == [4, 2]
    assert build_dataloader(loader) is loader


def test_workers_get_our_seeds_unless_the_config_says_otherwise():
    assert build_dataloader(LOADER).worker_init_fn.func is worker_init


@pytest.mark.parametrize(('change', 'words'), [
    (dict(batch_size=7, drop_last=True), '6 samples make 0 batches of 7'),
    (dict(dataset=dict(LOADER['dataset'], indices=[])), '0 samples'),
])
def test_a_loader_without_a_batch_is_an_error(change, words):
    with pytest.raises(ValueError, match=words):
        build_dataloader(dict(LOADER, **change))


def test_persistent_workers_end_at_once():
    loader = build_dataloader(dict(LOADER, num_workers=1, collate_fn=dict(type='collate_points')))
    next(iter(loader))
    workers = loader._iterator._workers
    stop_workers(loader)
    assert not any(w.is_alive() for w in workers) and loader._iterator is None
    stop_workers(loader)
