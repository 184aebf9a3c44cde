import json
from types import SimpleNamespace

import pytest
import torch

from pcdet_kd.apis.doctor.ckpt import check_ckpt
from pcdet_kd.apis.models import get_model
from pcdet_kd.engine.pipeline import run_stages
from pcdet_kd.engine.stages import plan
from pcdet_kd.utils.files import file_sha256


@pytest.fixture
def weights():
    return get_model('pointnet_small_modelnet40').state_dict()


def look(tmp_path, content, name='a.pth', **options):
    torch.save(content, tmp_path / name, **options)
    return check_ckpt(tmp_path / name)


def test_a_run_of_ours(tiny_configs):
    leaf = run_stages(plan(tiny_configs / 'tiny_pointcmt.py'))[-1]
    report = check_ckpt(leaf.work_dir / 'last.pth')
    json.dumps(report.to_dict(), allow_nan=False)
    sections = report.sections
    assert not report.findings and sections['What it says about itself']['epoch'] == 2
    assert sections['File']['SHA-256'] == file_sha256(leaf.work_dir / 'last.pth')
    besides = sections['Besides the weights']
    assert besides['optimizer'].startswith('state of') and besides['optimizer_state_bytes'] > 1000
    assert besides['learning_rate'] == [0.01] and 'message_hub' in besides['other_entries']
    assert {row['part'] for row in sections['By part']} >= {'student.backbone', 'student.head'}
    assert sections['Fits']['shipped_models'] == 'none'
    report = check_ckpt(leaf.work_dir / 'student_last.pth')
    assert report.sections['Fits']['the_model_it_describes'] == 'fits'
    about = report.sections['What it says about itself']
    assert about['model'] == 'PointClassifier with PointNet' and about['classes'].startswith('3: ')
    config = leaf.work_dir / 'tiny_pointcmt.py'
    assert report.next == f'pcdet-kd test {config} {leaf.work_dir / "student_last.pth"}'


def test_weights_alone(tmp_path, weights):
    report = look(tmp_path, weights)
    assert not report.findings and not report.sections['What it says about itself']
    assert 'pointnet_small_modelnet40' in report.sections['Fits']['shipped_models']
    assert report.sections['Weights']['parameters'] == 85_096
    assert report.sections['Weights']['types'] == {'float32': 'in 32', 'int64': 'in 5'}
    assert report.next.startswith('pcdet-kd test ')
    rows = {row['part']: row for row in report.sections['By part']}
    own = {key: value for key, value in weights.items() if key.startswith('head.')}
    assert rows['head'] == dict(
        part='head', tensors=len(own), numbers=sum(v.numel() for v in own.values())
    )


def test_numbers_that_are_not_finite(tmp_path, weights):
    key = next(iter(weights))
    weights[key].flatten()[0] = torch.nan
    small = dict(small=torch.tensor([torch.inf]).to(torch.float8_e5m2))
    report = look(tmp_path, dict(state_dict={**weights, **small}))
    (finding,) = report.findings
    assert finding.level == 'broken' and finding.text.startswith(f'2 of {len(weights) + 1} tensors')
    assert key in finding.text and 'small' in finding.text


def test_a_published_network(tmp_path, monkeypatch):
    monkeypatch.setattr('pcdet_kd.apis.doctor.ckpt.fitting_archs', lambda weights: ['pointmlp'])
    content = dict(net={'fc.weight': torch.zeros(2, 3)}, epoch=3, log=SimpleNamespace(a=1))
    report = look(tmp_path, content)
    (finding,) = report.findings
    assert finding.level == 'note' and 'SimpleNamespace' in finding.text
    assert report.sections['Fits']['published_networks'] == 'pointmlp'
    assert report.next.startswith('pcdet-kd from-official') and '--arch pointmlp' in report.next


def test_safetensors(tmp_path, weights):
    save_file = pytest.importorskip('safetensors.torch').save_file
    save_file(weights, tmp_path / 'a.safetensors')
    report = check_ckpt(tmp_path / 'a.safetensors')
    assert 'pointnet_small_modelnet40' in report.sections['Fits']['shipped_models']


@pytest.mark.parametrize(
    'damage, told',
    [
        (lambda data: data[:-200], 'truncated'),
        (lambda data: b'', 'empty'),
        (lambda data: b'<!doctype html>', 'web page'),
        (lambda data: data.replace(b'\x00\x00\x80\x3f', b'\x00\x00\x80\x3e', 1), 'damaged'),
    ],
)
def test_damaged_files_are_findings(tmp_path, weights, damage, told):
    look(tmp_path, weights)
    file = tmp_path / 'a.pth'
    file.write_bytes(damage(file.read_bytes()))
    report = check_ckpt(file)
    assert report.is_broken and told in report.findings[0].text and not report.sections
    assert 'is not a file' in check_ckpt(tmp_path / 'no.pth').findings[0].text
    torch.save(dict(a=1), file)
    assert 'no state dict' in check_ckpt(file).findings[0].text


def test_a_model_that_its_description_does_not_fit(tmp_path, weights):
    model = dict(type='PointClassifier', backbone=dict(type='PointNet'))
    model['head'] = dict(type='MLPHead', num_classes=3)
    report = look(tmp_path, dict(state_dict=weights, meta=dict(model=model)))
    assert report.sections['Fits']['the_model_it_describes'] == 'does not fit'
    assert report.is_broken and not report.to_dict()['next']


def test_nonsense_in_the_description_does_no_harm(tmp_path, weights):
    meta = dict(
        epoch='\x1b[2J',
        classes=5,
        dataset_meta=[1],
        scores=dict(accuracy=float('nan')),
        cfg='a\nb',
        seed=None,
    )
    optimizer = dict(state={0: 1}, param_groups=3)
    report = look(tmp_path, dict(state_dict=weights, meta=meta, optimizer=optimizer))
    assert '\x1b' not in report.text() and not report.findings
    about = report.to_dict()['sections']['What it says about itself']
    assert about['scores'] == dict(accuracy=None) and about['config'] == '2 lines'
    report = look(tmp_path, dict(state_dict=weights, meta=[1]))
    assert not report.findings
