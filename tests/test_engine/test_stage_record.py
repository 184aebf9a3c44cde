import pytest
import torch
from mmengine.config import Config

from pcdet_kd.engine.stage_record import FILE, StageRecord, flat_config


def test_round_trip(tmp_path):
    record = StageRecord(
        {'a': '1'},
        data='x',
        finished=True,
        weights='last.pth',
        weights_sha256='y',
        results=dict(last=dict(accuracy=1.5)),
    )
    record.write(tmp_path / 'run')
    assert StageRecord.read(tmp_path / 'run') == record
    assert [p.name for p in (tmp_path / 'run').iterdir()] == [FILE]
    assert StageRecord.read(tmp_path) is None


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / FILE).write_text('{"config": ')
    with pytest.raises(ValueError, match=FILE):
        StageRecord.read(tmp_path)


def test_differences_name_path_and_both_values():
    old = StageRecord({'lr': '0.1', 'epochs': '3', 'gone': '1'}, data='a')
    new = StageRecord({'lr': '0.2', 'epochs': '3', 'here': '2'}, data='b')
    assert old.differences(new) == [
        'gone: 1 -> not set',
        'here: not set -> 2',
        'lr: 0.1 -> 0.2',
        'the training data',
    ]
    assert old.differences(old) == []
    # a record without a fingerprint says nothing about the data
    unknown = StageRecord(old.config)
    assert old.differences(unknown) == unknown.differences(old) == []
    many = StageRecord({f'k{i}': '1' for i in range(9)})
    assert many.differences(StageRecord({}))[-1] == 'and 4 more'


def test_only_what_makes_up_the_experiment_counts(tmp_path):
    base = dict(
        model=dict(type='X', widths=(1, 2)),
        lr=0.1,
        train_dataloader=dict(
            num_workers=2,
            batch_size=4,
            dataset=dict(data_root='moved', pipeline=[dict(views_root='moved', cache_dir='new')]),
        ),
    )
    flat = flat_config(
        Config(dict(base, work_dir='a', resume=True, load_from='b', launcher='none'))
    )
    assert flat == {
        'model.type': "'X'",
        'model.widths': '(1, 2)',
        'train_dataloader.batch_size': '4',
    }
    assert flat_config(Config(dict(base, load_from='b')))['load_from'] == "'b'"


def test_a_weights_file_counts_by_its_content(tmp_path):
    path = tmp_path / 'w.pth'
    flats = []
    for value in (0.0, 0.0, 1.0):
        torch.save(torch.tensor(value), path)
        flats.append(flat_config(Config(dict(model=dict(checkpoint=str(path))))))
    assert flats[0] == flats[1] != flats[2]
    assert flats[0]['model.checkpoint'].startswith('sha256:')
