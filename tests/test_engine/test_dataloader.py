import pytest

from pcdet_kd.datasets.device_dataset import DeviceDataset
from pcdet_kd.engine.dataloader import build_dataloader, stop_workers
from pcdet_kd.engine.hooks import worker_init

LOADER = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=True,
    collate_fn=dict(type='collate_points'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='TinyClouds', num=6, pipeline=[dict(type='PackPointInputs')]),
)


def test_what_torch_refuses_without_workers_is_left_out():
    loader = build_dataloader(dict(LOADER, prefetch_factor=2))
    assert not loader.persistent_workers and [len(b['data_samples']) for b in loader] == [4, 2]
    assert build_dataloader(loader) is loader


def test_workers_get_our_seeds_unless_the_config_says_otherwise():
    assert build_dataloader(LOADER).worker_init_fn.func is worker_init


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (dict(batch_size=7, drop_last=True), '6 samples make 0 batches of 7'),
        (dict(dataset=dict(LOADER['dataset'], indices=[])), '0 samples'),
    ],
)
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


def test_a_device_in_the_config_makes_whole_batches_there():
    loader = build_dataloader(
        dict(LOADER, device='cpu', num_workers=2, pin_memory=True, prefetch_factor=2)
    )
    assert (
        isinstance(loader.dataset, DeviceDataset)
        and loader.num_workers == 0
        and not loader.pin_memory
    )
    assert [len(batch['data_samples']) for batch in loader] == [4, 2]
    assert next(iter(loader))['inputs']['points'].shape == (4, 16, 3)
    assert not isinstance(build_dataloader(dict(LOADER, device=None)).dataset, DeviceDataset)


def test_a_collate_function_has_no_place_on_a_device():
    with pytest.raises(ValueError, match="collate_fn pseudo_collate can't be used"):
        build_dataloader(dict(LOADER, device='cpu', collate_fn=dict(type='pseudo_collate')))


def test_fewer_batches_in_an_epoch_on_a_device():
    assert (
        len(
            list(
                build_dataloader(dict(LOADER, device='cpu', num_batch_per_epoch=1, drop_last=True))
            )
        )
        == 1
    )


def test_a_run_on_a_device_data_set_learns_and_resumes(tiny_configs):
    """Through the pipeline and its checks: the whole path of ``train_dataloader.device``."""
    from pcdet_kd.engine.pipeline import run_stages
    from pcdet_kd.engine.stages import plan

    (tiny_configs / 'tiny_student.py').write_text(
        "_base_ = 'tiny_base.py'\nmodel = _base_.student\n"
    )
    options = {'train_dataloader.device': 'cpu', 'val_dataloader.device': 'cpu'}
    stage = run_stages(plan(tiny_configs / 'tiny_student.py', {**options, 'max_epochs': 6}))[-1]
    assert stage.record.results['last']['accuracy'] > 60
    stages = plan(tiny_configs / 'tiny_student.py', {**options, 'max_epochs': 6}, work_dir='again')
    assert run_stages(stages)[-1].record.results == stage.record.results
