"""Every shipped table: its cells are planned and their models built; one is trained at toy size."""

from pathlib import Path

import pytest
import torch

from pcdet_kd.apis.tables import Settings, Unit, read_table, run_table, write_table
from pcdet_kd.backbones import MultiViewResNet
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_reader import variables_of
from pcdet_kd.engine.shared_stages import names_in
from pcdet_kd.engine.stages import plan
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.robustness import generate, source_of
from pcdet_kd.testing import write_tiny_layouts

ROOT = Path(__file__).parents[1]
TABLES = sorted((ROOT / 'configs/tables').glob('*.py'))


def units(table, folder='runs'):
    cells = [cell for cell in read_table(table).cells.values() if cell.config is not None]
    settings = Settings(Path(folder))
    return [Unit(cell, 0, settings) for cell in cells]


@pytest.fixture(scope='module')
def built():
    """Directories of the stages that a table before has built."""
    return set()


@pytest.mark.parametrize('table', TABLES, ids=lambda p: p.stem)
def test_every_cell_is_planned_and_built(table, built):
    assert '# ' in table.read_text().splitlines()[0]
    spec = read_table(table)
    assert spec.title and spec.rows and spec.metrics
    for unit in units(table):
        for stage in unit.plan():
            if stage.work_dir not in built:
                built.add(stage.work_dir)
                with torch.device('meta'):
                    MODELS.build(stage.resolved().model)


SMALL = dict(
    num_points=64,
    student_points=64,
    image_size=32,
    num_views=2,
    batch_size=2,
    num_workers=0,
    max_epochs=1,
    val_fraction=0.5,
)
OF_STAGES = ('batch_size', 'num_points', 'max_epochs')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder with the files that the tables read, all of them tiny."""
    root = tmp_path_factory.mktemp('tables')
    write_tiny_layouts(root / 'data', train=8, test=4)
    models = dict(type='ModelNet40', data_root=str(root / 'data/modelnet40_ply_hdf5_2048'))
    source = source_of(DATASETS.build(dict(models, split='test')), normalize='sphere')
    for suite, folder, corruption in (
        ('modelnet40-c', 'modelnet40_c', 'gaussian'),
        ('modelnet-c', 'modelnet_c', 'jitter'),
    ):
        generate(suite, source, root / 'data' / folder, [corruption], num_points=100)
    image_net = MultiViewResNet(depth=18)
    torch.save(image_net.trunk.state_dict(), root / 'data/resnet18-f37072fd.pth')
    return root


def toy_options(table):
    """Options that make all runs of a table tiny, and the same for their stages."""
    cells = [cell for cell in read_table(table).cells.values() if cell.config is not None]
    found = [names_in(cell.config) for cell in cells]
    stages, known = (set().union(*names) for names in zip(*found))
    few = dict(labels=4, train_size=4)
    set_there = {key for cell in cells for key in cell.options}
    set_there |= (
        {'labels'} if any(load_config(cell.config).get('labels') for cell in cells) else set()
    )
    options = {key: value for key, value in SMALL.items() if key in known}
    options.update({key: value for key, value in few.items() if key in set_there})
    of_stages = {}
    for cell in cells:
        for stage in plan(cell.config)[:-1]:
            names = variables_of(stage.config) & {*OF_STAGES}
            of_stages.update({f'{stage.name}.{name}': SMALL[name] for name in names})
            if f'{stage.name}.labels' in cell.stage_options:
                of_stages[f'{stage.name}.labels'] = 4
    return options, of_stages


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize('table', TABLES, ids=lambda p: p.stem)
def test_every_table_is_trained_at_toy_size(table, data, monkeypatch):
    monkeypatch.chdir(data)
    monkeypatch.setenv('XDG_CACHE_HOME', str(data / 'cache'))
    options, of_stages = toy_options(table)
    found = run_table(table, options=options, stage_options=of_stages)
    assert not found.failed, found.failed
    files = write_table(found, f'tables/{table.stem}')
    text = files[0].read_text()
    suites = any(cell.suite for cell in found.spec.cells.values())  # a part of each has no RmCE
    assert suites or 'not run' not in text
    assert all(f'| {row} ' in text for row in found.spec.rows)


SHORT = dict(max_epochs=1, train_size=4, val_fraction=0.1)


@pytest.fixture
def few_shapes(tmp_path):
    write_tiny_layouts(tmp_path / 'data', train=80, test=40)
    return tmp_path / 'data/modelnet40_ply_hdf5_2048'


@pytest.mark.slow
def test_a_table_is_trained_at_toy_size(few_shapes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    said = []
    small = {key: value for key, value in SMALL.items() if key != 'num_views'}
    found = run_table(
        ROOT / 'configs/tables/pointcmt_distance.py',
        only=['student alone', 'Chamfer'],
        options={**small, **SHORT, 'data_root': str(few_shapes)},
        stage_options={f'{name}.train_size': 4 for name in ('teacher', 'generator')},
        say=said.append,
    )
    assert not found.failed and len([line for line in said if ': trains in' in line]) == 4
    text = write_table(found, 'out')[0].read_text()
    assert '| Chamfer ' in text and 'Chamfer over student alone' in text and 'not run' not in text
