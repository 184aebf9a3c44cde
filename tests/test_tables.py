"""Every shipped table: its cells are planned and their models built; one is trained at toy size."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from pcdet_kd.apis.tables import Settings, Unit, read_table, run_table, write_table
from pcdet_kd.registry import MODELS

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


SMALL = dict(num_points=64, student_points=64, image_size=16, batch_size=2, num_workers=0)
SHORT = dict(max_epochs=1, train_size=4, val_fraction=0.1)


@pytest.fixture
def few_shapes(tmp_path):
    """ModelNet40's files with one shape per class for training and for testing."""
    folder = tmp_path / 'modelnet40_ply_hdf5_2048'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for split, each in (('train', 2), ('test', 1)):
        with h5py.File(folder / f'ply_data_{split}0.h5', 'w') as file:
            file['data'] = rng.uniform(-1, 1, (40 * each, 2048, 3)).astype(np.float32)
            file['label'] = np.tile(np.arange(40, dtype=np.uint8), each)[:, None]
        (folder / f'{split}_files.txt').write_text(f'{folder.name}/ply_data_{split}0.h5\n')
        (folder / f'ply_data_{split}_0_id2file.json').write_text(json.dumps([]))
    return folder


def test_a_table_is_trained_at_toy_size(few_shapes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    said = []
    found = run_table(
        ROOT / 'configs/tables/pointcmt_distance.py',
        only=['student alone', 'Chamfer'],
        options={**SMALL, **SHORT, 'data_root': str(few_shapes)},
        stage_options={f'{name}.train_size': 4 for name in ('teacher', 'generator')},
        say=said.append,
    )
    assert not found.failed and len([line for line in said if ': trains in' in line]) == 4
    text = write_table(found, 'out')[0].read_text()
    assert '| Chamfer ' in text and 'Chamfer over student alone' in text and 'not run' not in text
