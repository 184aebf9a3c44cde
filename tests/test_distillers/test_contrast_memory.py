import copy

import pytest
import torch
from mmengine.hooks import Hook
from torch import distributed as dist
from torch.nn.functional import normalize

from pcdet_kd.distillers import ContrastMemory
from pcdet_kd.engine import PointRunner
from pcdet_kd.structures import PointDataSample
from pcdet_kd.utils.checkpoint import CheckpointError, load_checkpoint_file, load_weights

NAMES = [f's{i}' for i in range(10)]


def samples(*rows, labels=None):
    made = [PointDataSample(metainfo=dict(sample_id=f's{row}')) for row in rows]
    for sample, label in zip(made, labels or ()):
        sample.set_gt_label(label)
    return made


def build(names=NAMES, **arguments):
    memory = ContrastMemory(**dict(dict(channels=4, negatives=6), **arguments))
    memory.set_samples(names)
    return memory


def unit(*shape, seed=0):
    return normalize(torch.randn(shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_it_starts_with_random_vectors_of_about_length_one():
    memory = build([str(i) for i in range(500)], channels=128)
    for rows in (memory.student, memory.teacher):
        assert rows.shape == (500, 128) and rows.abs().max() <= (3 / 128) ** 0.5
        assert rows.norm(dim=1).mean().item() == pytest.approx(1, abs=0.01)
    assert not torch.equal(memory.student, memory.teacher)
    assert torch.equal(memory.student, build([str(i) for i in range(500)], channels=128).student)


def test_a_sample_moves_its_rows_and_no_others():
    memory = build(momentum=0.25).train()
    before = memory.student.clone(), memory.teacher.clone()
    student, teacher = unit(2, 4), unit(2, 4, seed=1)
    memory(student, teacher, samples(7, 2, labels=(1, 0)))
    for old, rows, new in zip(before, (memory.student, memory.teacher), (student, teacher)):
        expected = old.clone()
        expected[[7, 2]] = normalize(0.25 * old[[7, 2]] + 0.75 * new)
        torch.testing.assert_close(rows, expected)
    assert memory.labels.tolist() == [-1, -1, 0, -1, -1, -1, -1, 1, -1, -1]
    held = memory.student
    memory.eval()(student, teacher, samples(7, 2))
    assert memory.student is held


def test_of_a_sample_twice_in_a_batch_the_last_embedding_counts():
    memory, other = build().train(), build().train()
    embeddings = unit(3, 4)
    memory(embeddings, embeddings, samples(5, 1, 5))
    other(embeddings[1:], embeddings[1:], samples(1, 5))
    torch.testing.assert_close(memory.student, other.student)


def drawn(memory, batch, times=40):
    """All rows that each sample is compared with."""
    found = [set() for _ in batch]
    embeddings = unit(len(batch), 4)
    for i in range(times):
        memory.set_random_state(0, i, 0)
        rows = memory._rows_of(batch)
        memory(embeddings, embeddings, batch)
        known = memory.labels[rows]
        for seen, row in zip(found, memory._draw(rows, known).tolist()):
            seen.update(row)
    return found


def test_negatives_are_of_other_classes_and_never_the_sample_itself():
    memory = build(negatives=3)
    batch = samples(0, 1, 2, 3, labels=(0, 0, 1, 2)) + samples(4)
    first, second, third, fourth, without = drawn(memory, batch)
    rest = set(range(4, 10))
    assert first == second == {2, 3} | rest
    assert third == {0, 1, 3} | rest and fourth == {0, 1, 2} | rest
    assert without == set(range(10)) - {4}


def test_negatives_are_drawn_once_each_where_there_are_enough():
    memory = build(negatives=9)
    rows = memory._draw(torch.tensor([0, 1]), torch.tensor([-1, -1]))
    assert [sorted(row) for row in rows.tolist()] == [[*range(1, 10)], [0, *range(2, 10)]]
    memory = build(negatives=50)
    assert memory._draw(torch.tensor([0]), torch.tensor([-1])).shape == (1, 50)
    memory = build(negatives=16384)  # the published number, with fewer samples
    batch = samples(0, 1)
    assert memory(unit(2, 4), unit(2, 4), batch)[0].shape == (2, 16385)


def test_the_draw_follows_from_the_random_state_alone():
    memory = build(negatives=3)
    rows = torch.tensor([0, 1]), torch.tensor([-1, -1])
    before = torch.get_rng_state()
    draws = []
    for state in ((0, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)):
        memory.set_random_state(*state)
        draws.append(memory._draw(*rows).tolist())
    assert draws[0] == draws[3] and draws[0] != draws[1] and draws[0] != draws[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_z_is_that_of_the_first_batch():
    memory = build()
    assert memory.log_z.isnan().all()
    memory(unit(2, 4), unit(2, 4, seed=1), samples(0, 1))
    first = memory.log_z.clone()
    memory(unit(2, 4, seed=2), unit(2, 4, seed=3), samples(2, 3))
    assert torch.isfinite(first).all() and torch.equal(memory.log_z, first)


def test_it_is_whole_in_a_checkpoint_of_any_size():
    memory = build().train()
    memory(unit(2, 4), unit(2, 4, seed=1), samples(0, 1, labels=(2, 1)))
    other = ContrastMemory(channels=4, negatives=6)
    load_weights(other, copy.deepcopy(memory.state_dict()))
    other.set_samples(NAMES)
    for name, value in memory.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
    with pytest.raises(ValueError, match='one of 10 samples, the training data has 9: resume with'):
        other.set_samples(NAMES[:9])
    with pytest.raises(CheckpointError, match=r'student: file \(10, 4\), model \(0, 5\)'):
        load_weights(ContrastMemory(channels=5), memory.state_dict())
    with pytest.raises(CheckpointError, match=r'student: file \(10, 4\), model \(9, 4\)'):
        load_weights(build(NAMES[:9]), memory.state_dict())


def test_what_is_wrong_is_named():
    with pytest.raises(ValueError, match='negatives=0'):
        ContrastMemory(negatives=0)
    with pytest.raises(ValueError, match='does not know the training samples.*set_samples'):
        ContrastMemory(channels=4)(unit(1, 4), unit(1, 4), samples(0))
    with pytest.raises(ValueError, match="no sample 's10'"):
        build()(unit(1, 4), unit(1, 4), samples(10))
    mixed = samples(0)
    mixed[0].set_gt_score(torch.tensor([0.5, 0.5]))
    with pytest.raises(ValueError, match='batch_augments has mixed them'):
        build()(unit(1, 4), unit(1, 4), mixed)
    memory = build(NAMES[:2])
    with pytest.raises(ValueError, match='no sample of another class'):
        memory(unit(2, 4), unit(2, 4), samples(0, 1, labels=(1, 1)))


def test_under_autocast_it_compares_in_float32():
    memory = build().eval()
    student, teacher = unit(2, 4), unit(2, 4, seed=1)
    expected = memory(student, teacher, samples(0, 1))
    with torch.autocast('cpu', torch.bfloat16):
        found = memory(student, teacher, samples(0, 1))
    assert all(torch.equal(a, b) for a, b in zip(expected, found))


def one_of_two(rank, folder):
    """See half of a batch; the memory of each process is written."""
    store = dist.FileStore(str(folder / 'store'), 2)
    dist.init_process_group('gloo', store=store, rank=rank, world_size=2)
    memory = build().train()
    rows = slice(2 * rank, 2 * rank + 2)
    memory.set_random_state(0, 0, rank)
    memory(
        unit(4, 4)[rows], unit(4, 4, seed=1)[rows], samples(3, 8, 0, 5, labels=(0, 1, 2, 0))[rows]
    )
    torch.save(memory.state_dict(), folder / f'{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


def test_every_process_remembers_the_samples_of_all(forkserver, tmp_path):
    processes = [forkserver.Process(target=one_of_two, args=(rank, tmp_path)) for rank in range(2)]
    for process in processes:
        process.start()
    memory = build().train()
    memory(unit(4, 4), unit(4, 4, seed=1), samples(3, 8, 0, 5, labels=(0, 1, 2, 0)))
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    one, other = (torch.load(tmp_path / f'{rank}.pth', weights_only=True) for rank in range(2))
    for name in ('student', 'teacher', 'labels'):
        assert torch.equal(one[name], other[name])
        torch.testing.assert_close(one[name], getattr(memory, name))
    assert torch.equal(one['log_z'], other['log_z'])


class Stop(Hook):
    """Stops a run before an iteration."""

    def __init__(self, at):
        self.at = at

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            raise KeyboardInterrupt


def config(build_method, tiny_student, work_dir):
    model = dict(
        build_method.methods['crd'],
        student=dict(tiny_student, head=dict(tiny_student['head'], dropout=0.3)),
        teachers=dict(main=dict(type='AllKnowing')),
    )
    data = dict(type='TinyClouds', num=24, labels=9, pipeline=[dict(type='PackPointInputs')])
    return dict(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=6,
            num_workers=0,
            collate_fn=dict(type='collate_points'),
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=data,
        ),
        train_cfg=dict(by_epoch=True, max_epochs=3),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-2)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        randomness=dict(seed=3),
        log_level='ERROR',
        default_scope='pcdet_kd',
    )


def test_a_resumed_run_is_the_run_that_was_never_interrupted(build_method, tiny_student, tmp_path):
    """In a Runner, with labels of some clouds: the memory has the size of the data."""
    PointRunner.from_cfg(config(build_method, tiny_student, tmp_path / 'whole')).train()
    first = PointRunner.from_cfg(config(build_method, tiny_student, tmp_path / 'killed'))
    first.register_hook(Stop(at=6))
    with pytest.raises(KeyboardInterrupt):
        first.train()
    again = dict(config(build_method, tiny_student, tmp_path / 'killed'), resume=True)
    PointRunner.from_cfg(again).train()
    one, other = (
        load_checkpoint_file(tmp_path / name / 'last.pth')['state_dict']
        for name in ('whole', 'killed')
    )
    assert set(one) == set(other) and all(torch.equal(one[key], other[key]) for key in one)
    labels = one['helpers.memory.labels']
    assert labels.shape == (24,) and (labels >= 0).sum() == 9
    assert one['helpers.memory.student'].norm(dim=1).allclose(torch.ones(24))  # all were seen
    exported = load_checkpoint_file(tmp_path / 'whole' / 'student_last.pth')
    assert not any('memory' in key for key in exported.get('state_dict', exported))
