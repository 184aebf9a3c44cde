"""The pages' code is run as it is written."""

import importlib
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from pcdet_kd.apis import (
    PointCloudClassificationInferencer,
    export_model,
    from_pretrained,
    init_model,
    train,
)
from pcdet_kd.apis.zoo import zoo_page
from pcdet_kd.cli import COMMANDS
from pcdet_kd.cli.options import parse_value
from pcdet_kd.registry import TEACHERS
from pcdet_kd.structures import PointDataSample
from pcdet_kd.testing import check_teacher
from pcdet_kd.utils.checkpoint import save_checkpoint_file

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs/en'


def snippets(page: str) -> list[str]:
    """Return the blocks of Python of a page."""
    return re.findall(r'^```python\n(.*?)^```', (DOCS / page).read_text(), re.M | re.S)


def test_a_distillation_loss_in_20_lines(tmp_path, monkeypatch):
    code, config = snippets('add_a_distillation_loss.md')
    (tmp_path / 'cosine_kd.py').write_text(code)
    (tmp_path / 'my_config.py').write_text(config)
    assert len([line for line in code.splitlines() if line and 'import' not in line]) <= 20
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    (tmp_path / 'scans').mkdir()
    for i in range(6):
        cloud = np.random.default_rng(i).normal(size=(70 + i, 3)).astype(np.float32)
        np.save(tmp_path / f'scans/{i}.npy', cloud)
    small = dict(num_train=45, num_test=15, labels=15, num_points=64, student_points=32)
    option = re.search(r'--cfg-options "unlabelled=(.*)"', (DOCS / 'few_labels.md').read_text())[1]
    small['unlabelled'] = parse_value(option) | dict(up_axis='y')  # as in SyntheticScans
    result = train('my_config.py', {**small, 'max_epochs': 1, 'batch_size': 4, 'image_size': 32})
    assert [stage.name for stage in result.stages] == ['teacher', 'my_config']
    log = next(Path(result.stages[-1].work_dir).rglob('*.log')).read_text()
    assert 'feature bank' in log and '66 samples' in log  # 45 + 6 without labels + 15 tested
    assert all(f'loss_{n}:' in log for n in ('cls', 'jgekd_graph', 'cosine_cosine'))


def test_every_public_package_is_in_the_reference():
    pages = ''.join(p.read_text() for p in (DOCS / 'api').glob('*.rst'))
    listed = set(re.findall(r'^\.\. automodule:: pcdet_kd\.(\S+)$', pages, re.M))
    packages = {
        p.parent.name
        for p in (ROOT / 'pcdet_kd').glob('*/__init__.py')
        if '__all__' in p.read_text()
    }
    assert packages <= listed
    toc = (DOCS / 'api/index.md').read_text()
    assert all(f'\n{p.stem}\n' in toc for p in (DOCS / 'api').glob('*.rst'))


def test_the_model_zoo_is_that_of_the_metafiles():
    text = (DOCS / 'model_zoo.md').read_text()
    assert text == zoo_page(ROOT / 'benchmarks/zoo.json'), (
        'run pcdet-kd models --page benchmarks/zoo.json'
    )


def test_the_lists_of_transforms_and_losses_are_up_to_date():
    written = runpy.run_path(str(ROOT / 'docs/list_parts.py'))
    for page in ('losses', 'transforms'):
        text = (DOCS / f'{page}.md').read_text()
        assert text == written[f'{page}_page'](), 'run python docs/list_parts.py'
        assert all((DOCS / image).is_file() for image in re.findall(r'\]\((images/\S+)\)', text))


@pytest.mark.filterwarnings('ignore:.*LeafSpec:FutureWarning')  # torch's own
def test_exported_models_are_used_as_the_page_says(tmp_path, monkeypatch, capsys):
    pytest.importorskip('onnx')
    pytest.importorskip('safetensors')
    alone, program, folder = snippets('deploy.md')
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    net = 'pointnet_small_modelnet40'
    save_checkpoint_file(dict(state_dict=init_model(net).state_dict()), 'last.pth')
    for file, kind in (('pointnet.onnx', 'onnx'), ('pointnet.pt2', 'torch')):
        export_model(net, 'last.pth', file, kind, num_points=128, seconds=0)
    cloud = np.random.default_rng(0).normal(3, 2, (128, 3))  # so that no sampling changes it
    np.save('scan.npy', cloud)
    exec(alone, {})
    assert set(re.findall(r'^import (\w+)', alone, re.M)) == {'json', 'numpy', 'onnxruntime'}
    classify = PointCloudClassificationInferencer('pointnet.onnx', show_progress=False)
    (found,) = classify('scan.npy', topk=3)['predictions']
    said = [line.rpartition(' ')[0] for line in capsys.readouterr().out.splitlines()[:3]]
    assert said == [name for name, _ in found['top']]
    exec(program, {})
    assert len(eval(capsys.readouterr().out)) == 4
    exec(folder, {})
    assert from_pretrained('pointnet').dataset_meta['classes'] == classify.classes


def test_a_transform_a_data_set_and_a_teacher(tmp_path, monkeypatch):
    parts, check, *configs = snippets('add_a_part.md')
    for name, code in zip(('my_parts', 'alone', 'second', 'ensemble'), (parts, *configs)):
        (tmp_path / f'{name}.py').write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / 'clouds').mkdir()
    for split in ('train', 'test'):
        points, labels = rng.normal(size=(20, 64, 3)), np.arange(20) % 2
        np.savez(tmp_path / f'clouds/{split}.npz', points=points, labels=labels)
    small = dict(max_epochs=1, batch_size=4, num_workers=0)
    result = train('ensemble.py', small)
    log = next(Path(result.stages[-1].work_dir).rglob('*.log')).read_text()
    assert [stage.name for stage in result.stages] == ['first', 'second', 'ensemble']
    assert 'loss_logit:' in log and 'RandomMirror' in log
    scope = dict(vars(importlib.import_module('my_parts')))
    exec(check, scope)
    scope['test_npz_clouds'](tmp_path)
    mirror = scope['RandomMirror']()
    np.random.seed(0)
    cloud = dict(points=points[0], normals=points[1], up_axis='z')
    signs = {tuple((mirror.transform(cloud)['points'] / points[0])[0]) for _ in range(20)}
    assert signs == {(1, 1, 1), (1, -1, 1)}
    member, weights = dict(result.stages[0].cfg.model), 'work_dirs/alone/last.pth'
    frozen = dict(type='FrozenTeacher', model=member, checkpoint=weights)
    teacher = TEACHERS.build(dict(type='EnsembleTeacher', teachers=[frozen]))
    teacher.init_weights()
    inputs = dict(points=torch.from_numpy(points[:2]).float())
    check_teacher(teacher, inputs, [PointDataSample() for _ in range(2)])


def test_a_backbone_in_20_lines():
    # another name than that of the example plug-in, which other tests must not find
    texts = [text.replace('MeanMaxNet', 'PageNet') for text in snippets('add_a_backbone.md')]
    scope = {}
    for text in (texts[0], texts[-2]):
        exec(text, scope)
    scope['test_mean_max_net']()


def test_the_pages_name_commands_and_configs_that_exist():
    pages = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*/*.md'))]
    wrong = []
    for page in pages:
        text = page.read_text()
        for command in re.findall(r'pcdet-kd +([a-z-]+)', text):
            if command not in COMMANDS:
                wrong.append(f'{page.name}: pcdet-kd {command}')
        for config in re.findall(r'(?<![\w/])configs/[\w/]+\.py', text):
            if not (ROOT / config).is_file() and 'mean_max_net' not in config:
                wrong.append(f'{page.name}: {config}')
        for tool in re.findall(r'(?<![\w/])tools/[\w/]+\.(?:py|sh)', text):
            if not (ROOT / tool).is_file() and page.name != 'coming_from.md':
                wrong.append(f'{page.name}: {tool}')
    assert not wrong


def commands(page: Path) -> list[str]:
    """Return the lines of code of a page without comments, and its names of variables."""
    text = page.read_text()
    blocks = re.findall(r'^```\w+\n(.*?)^```|^( {4}\S[^\n]*\n)', text, re.M | re.S)
    lines = (line.split('#')[0].rstrip() for pair in blocks for line in ''.join(pair).splitlines())
    return [line for line in lines if line] + re.findall(r'`PCDET_KD_\w+=\w+`', text)


def test_both_languages_have_the_same_commands():
    chinese = ROOT / 'docs/zh_cn'
    assert commands(chinese / 'get_started.md') == commands(DOCS / 'get_started.md'), (
        'docs/en/get_started.md and docs/zh_cn/get_started.md differ in commands: change both'
    )
    english = commands(ROOT / 'README.md')
    assert [line for line in commands(chinese / 'README.md') if line not in english] == []
    figures = re.findall(r'^\| *\d+\.\d ±.*$', (chinese / 'README.md').read_text(), re.M)
    assert figures == re.findall(r'^\| *\d+\.\d ±.*$', (ROOT / 'README.md').read_text(), re.M) != []
    for page in chinese.glob('*.md'):
        for link in re.findall(r'\]\((?!http)([^)#]+)', page.read_text()):
            assert (chinese / link).is_file(), f'{page.name}: {link}'
