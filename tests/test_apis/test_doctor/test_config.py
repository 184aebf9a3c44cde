import json

import pytest

from pcdet_kd.apis.doctor.config import check_config
from pcdet_kd.engine.pipeline import run_stages
from pcdet_kd.engine.stages import plan

LEAF = 'tiny_pointcmt.py'


def test_all_stages_of_a_config(tiny_configs):
    report = check_config(tiny_configs / LEAF)
    assert not report.findings, report.text()
    json.dumps(report.to_dict())
    stages = report.sections['Stages']['stages']
    assert list(stages) == ['teacher', 'generator', 'tiny_pointcmt']
    leaf = stages['tiny_pointcmt']
    assert leaf['state'] == 'can be trained' and leaf['trains'] == 'PointCMT'
    assert leaf['student'] == 'PointNet' and leaf['optimizer'] == 'Adam, lr 0.01'
    assert (leaf['epochs'], leaf['batch_size'], leaf['iterations_per_epoch']) == (2, 6, 3)
    assert leaf['parameters'] == leaf['trained_parameters'] > 500
    assert leaf['clouds'] == leaf['with_a_label'] == 18 and leaf['classes'] == 3
    assert leaf['clouds_per_class'] == '6' and stages['generator']['classes'] == 3
    total = report.sections['Stages']['all_stages_without_validation_s']
    assert total == pytest.approx(sum(facts['run_s'] for facts in stages.values()))
    assert not (tiny_configs.parent / 'work_dirs').exists()


def test_a_finished_stage_is_reused(tiny_configs):
    run_stages(plan(tiny_configs / 'tiny_teacher.py'))
    stages = check_config(tiny_configs / LEAF).sections['Stages']['stages']
    assert stages['teacher']['state'] == 'finished, is reused' and 'run_s' not in stages['teacher']
    assert 'run_s' in stages['tiny_pointcmt']


def test_each_mistake_is_a_finding(tiny_configs):
    leaf = tiny_configs / LEAF
    leaf.write_text(leaf.read_text() + "model.update(wrong=1)\nalso = 'unused'\n")
    report = check_config(leaf)
    assert report.is_broken and len(report.findings) == 2 and not report.sections
    assert {f.text.split(':')[0] for f in report.findings} == {'model.wrong', 'also'}
    assert all(f.about == str(leaf) for f in report.findings)
    assert 'no config' in check_config(tiny_configs / 'tiny_teecher.py').findings[0].text


def test_missing_data(tiny_configs):
    (tiny_configs / 'other.py').write_text(
        "_base_ = 'tiny_base.py'\nmodel = _base_.student\n"
        "train_dataloader = dict(dataset=dict(_delete_=True, type='ModelNet40', data_root='no'))\n"
        'model.head.num_classes = 40\n'
    )
    report = check_config(tiny_configs / 'other.py')
    (finding,) = report.findings
    assert finding.level == 'broken' and finding.about == 'no' and finding.fix
    facts = report.sections['Stages']['stages']['other']
    assert facts['state'] == 'not checked' and facts['parameters'] > 100
    assert 'all_stages_without_validation_s' not in report.sections['Stages']
