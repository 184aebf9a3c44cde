from pcdet_kd.apis import train


def test_training_returns_what_was_reached(tiny_configs):
    said = []
    result = train(
        tiny_configs / 'tiny_pointcmt.py',
        {'max_epochs': 1},
        with_baseline=True,
        seed=3,
        say=said.append,
    )
    assert list(result.records) == [
        'teacher',
        'generator',
        'tiny_pointcmt_baseline',
        'tiny_pointcmt',
    ]
    assert result.weights.name == 'student_last.pth' and result.weights.is_file()
    assert result.metrics == result.records['tiny_pointcmt'].results
    assert result.records['tiny_pointcmt'].test_samples == 24
    assert [row['stage'] for row in result.table()] == list(result.records)
    assert 'rom distillation' in result.verdict() or 'gained' in result.verdict()
    assert len(said) == 4
    seeds = [stage.cfg.randomness.seed for stage in result.stages]
    assert seeds == [0, 0, 3, 3]


def test_a_dry_run_writes_nothing(tiny_configs):
    said = []
    result = train(tiny_configs / 'tiny_pointcmt.py', dry_run=True, say=said.append)
    assert list(result.records.values()) == [None] * 3
    assert all('would train in work_dirs/tiny_' in line for line in said) and len(said) == 3
    assert not (tiny_configs.parent / 'work_dirs').exists()
