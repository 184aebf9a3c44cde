"""A tiny data set and tiny stages that the tests of models, teachers, distillers, pipelines and
commands share.
"""

import multiprocessing
import os
import runpy
import shutil
import socket
import subprocess
from multiprocessing import connection
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')
os.environ.setdefault(
    'PCDET_KD_MALLOC', 'default'
)  # commands run inside the test process, which lives long
os.environ.setdefault('PCDET_KD_AMP', 'force')  # mixed precision is tested on every processor
os.environ.setdefault(
    'CUDA_VISIBLE_DEVICES', ''
)  # bit-exact tests need a CPU; name a device to test on it
if not os.environ['CUDA_VISIBLE_DEVICES']:
    os.environ.setdefault(
        'TRITON_INTERPRET', '1'
    )  # what runs GPU kernels on a CPU; read when Triton is imported

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.records import Records
from pcdet_kd.engine.compat import unformatted_configs
from pcdet_kd.registry import DATASETS
from pcdet_kd.structures import PointDataSample

ROOT = Path(__file__).parents[1]


@DATASETS.register_module(force=True)
class TinyClouds(PointCloudDataset):
    """Noisy lines along x, y or z: three classes, 16 points, nothing to read."""

    METAINFO = dict(classes=('along_x', 'along_y', 'along_z'), up_axis='y', task='classification')

    def __init__(self, num: int = 24, noise: float = 0.1, **kwargs) -> None:
        self.num, self.noise = num, noise
        super().__init__(**kwargs)

    def load_records(self) -> Records:
        rng = np.random.default_rng(int(self.split == 'test'))
        labels = np.arange(self.num) % 3
        points = rng.normal(0, self.noise, (self.num, 16, 3)).astype(np.float32)
        for i, label in enumerate(labels):
            points[i, :, label] += np.linspace(-1, 1, 16)
        ids = [f'{self.official_split}/{i}' for i in range(self.num)]
        return Records(points, labels.astype(np.int64), ids, source='TinyClouds')


_BASE = """
_base_ = {runtime!r}
num = 24
max_epochs = 2
eval_pipeline = [dict(type='PackPointInputs')]
train_pipeline = [dict(type='RandomScale'), dict(type='PackPointInputs')]
data = dict(type='TinyClouds', num=num, val_fraction=0.25)
bank_data = [dict(data, split=split, pipeline=eval_pipeline) for split in ('train', 'val', 'test')]
common = dict(batch_size=6, num_workers=0, collate_fn=dict(type='collate_points'))
train_dataloader = dict(common, drop_last=True, sampler=dict(type='DefaultSampler', shuffle=True),
                        dataset=dict(data, split='train', pipeline=train_pipeline))
val_dataloader = dict(common, sampler=dict(type='DefaultSampler', shuffle=False),
                      dataset=dict(data, split='val', pipeline=eval_pipeline))
test_dataloader = dict(common, sampler=dict(type='DefaultSampler', shuffle=False),
                       dataset=dict(data, split='test', pipeline=eval_pipeline))
val_evaluator = test_evaluator = dict(type='PointAccuracy')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01))
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=1)
val_cfg = dict()
test_cfg = dict()
images = dict(
    type='PointClassifier', input_key='views',
    data_preprocessor=dict(type='PointDataPreprocessor', views=dict(type='PerspectiveProjection', image_size=16)),
    backbone=dict(type='MultiViewResNet', base_width=2),
    head=dict(type='MLPHead', hidden_channels=(), num_classes=3))
teacher = dict(type='FrozenTeacher', checkpoint='stage:teacher')
student = dict(
    type='PointClassifier',
    backbone=dict(type='PointNet', local_channels=(8,), global_channels=(16,), input_transform=False, feature_transform=False),
    head=dict(type='MLPHead', hidden_channels=(16,), dropout=0.3, num_classes=3))
"""  # noqa: E501
_STAGES = {
    'tiny_teacher': """
_base_ = 'tiny_base.py'
model = _base_.images
""",
    'tiny_generator': """
_base_ = 'tiny_base.py'
requires = dict(teacher='tiny_teacher.py')
model = dict(type='PointGenerator', in_channels=16, num_points=16,
             teacher=dict(type='FeatureBank', teacher=_base_.teacher, data=_base_.bank_data), loss=dict(type='EarthMoverLoss'))
val_evaluator = dict(_delete_=True, type='GenerationDistance')
test_evaluator = dict(_delete_=True, type='GenerationDistance')
default_hooks = dict(checkpoint=dict(save_best='emd', rule='less'))
""",  # noqa: E501
    'tiny_pointcmt': """
_base_ = 'tiny_base.py'
requires = dict(teacher='tiny_teacher.py', generator='tiny_generator.py')
model = dict(type='PointCMT', preset='paper', student=_base_.student,
             teachers=dict(image=dict(type='FeatureBank', teacher=_base_.teacher, data=_base_.bank_data)),
             helpers=dict(generator=dict(type='FrozenGenerator', checkpoint='stage:generator')))
""",  # noqa: E501
}


@pytest.fixture(scope='session')
def forkserver():
    """A way to start processes that have imported the package when they start; one for all tests:
    the modules that it imports are settled by the first.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(
        ['pcdet_kd.engine', 'pcdet_kd.distillers', 'torch._dynamo', 'matplotlib.pyplot']
    )
    return context


@pytest.fixture(scope='session')
def two_processes(forkserver):
    """Run a script with its arguments in two processes, as torchrun does but without its start;
    returns what each has printed.
    """

    def run(folder: Path, *argv: str) -> list[str]:
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        outputs = [folder / f'output_{rank}.txt' for rank in range(2)]
        processes = [
            forkserver.Process(
                target=runpy.run_path,
                args=(str(ROOT / 'tests/one_of_two.py'),),
                kwargs=dict(
                    init_globals=dict(RANK=rank, PORT=port, ARGV=[*map(str, argv)], OUT=str(out))
                ),
            )
            for rank, out in enumerate(outputs)
        ]
        for process in processes:
            process.start()
        waiting = {process.sentinel: process for process in processes}
        while waiting and (ended := connection.wait(waiting, 120)):
            if any([waiting.pop(sentinel).exitcode for sentinel in ended]):
                break
        failed = [process.exitcode for process in processes if process.exitcode]
        for process in processes:  # one that waits for another that has failed would wait for long
            process.kill()
            process.join()
        texts = [out.read_text() for out in outputs]
        assert not waiting and not failed, '\n'.join(texts)
        return texts

    return run


@pytest.fixture
def tiny_configs(tmp_path, monkeypatch) -> Path:
    """Config files of a whole PointCMT that trains in seconds; the working directory is a temporary
    one.
    """
    folder = tmp_path / 'configs'
    folder.mkdir()
    (folder / 'tiny_base.py').write_text(
        _BASE.format(runtime=str(ROOT / 'configs/_base_/default_runtime.py'))
    )
    for name, text in _STAGES.items():
        (folder / f'{name}.py').write_text(text)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def tiny_student() -> dict:
    """Config of a student with a 16-channel feature and 3 classes."""
    return dict(
        type='PointClassifier',
        backbone=dict(
            type='PointNet',
            local_channels=(8,),
            global_channels=(16,),
            input_transform=False,
            feature_transform=False,
        ),
        head=dict(type='MLPHead', hidden_channels=(16,), dropout=0.0, num_classes=3),
    )


@pytest.fixture
def batch() -> dict:
    """A collated batch of six clouds of 16 points."""
    generator = torch.Generator().manual_seed(0)
    samples = [
        PointDataSample(metainfo=dict(sample_idx=i, sample_id=f'train/{i}')).set_gt_label(i % 3)
        for i in range(6)
    ]
    return dict(
        inputs=dict(points=torch.randn(6, 16, 3, generator=generator)), data_samples=samples
    )


@pytest.fixture(autouse=True, scope='session')
def _configs_are_written_without_formatting():
    """Formatting takes up to a second for each Runner."""
    with unformatted_configs():
        yield


@pytest.fixture(autouse=True)
def _clean_state():
    """Runners leave process-wide state behind: the default scope and loggers with open files."""
    yield
    DefaultScope._instance_dict.clear()
    for logger in MMLogger._instance_dict.values():
        for handler in logger.handlers:
            handler.close()
    MMLogger._instance_dict.clear()


def _lines(labels, points, noise, seed):
    """Clouds (M, points, 3) like TinyClouds'."""
    clouds = np.random.default_rng(seed).normal(0, noise, (len(labels), points, 3))
    for cloud, label in zip(clouds, labels):
        cloud[:, label] += np.linspace(-1, 1, points)
    return clouds.astype(np.float32)


@pytest.fixture(scope='session')
def shapes():
    """Twelve different clouds (1024, 3) float32 in the unit sphere, from the surfaces of stretched
    and bent boxes.
    """
    clouds = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        points = rng.uniform(-1, 1, (1024, 3))
        side = rng.integers(3, size=1024)
        points[np.arange(1024), side] = np.sign(points[np.arange(1024), side])
        points = points * rng.uniform(0.3, 1, 3) + 0.2 * np.sin(2 * points[:, ::-1])
        points -= points.mean(0)
        clouds.append((points / np.linalg.norm(points, axis=1).max()).astype(np.float32))
    return clouds


@pytest.fixture
def write_suite(tmp_path):
    """Write a corruption suite of tiny clouds of three classes and return its directory.

    Severity k has 12 + k points and more noise; ``clean=False`` leaves the clean set out,
    ``marked`` marks it as generated.
    """
    import json

    import h5py

    from pcdet_kd.datasets.suites import SUITES

    def write(suite, count=12, clean=True, marked=False, skip=(), name='suite'):
        table, folder = SUITES[suite], tmp_path / f'{name}_{suite}'
        folder.mkdir()
        labels = np.arange(count) % 3
        sets = {
            table.file_name(c, s): (12 + k, 0.3 + 0.3 * k)
            for c in table.corruptions
            if c not in skip
            for k, s in enumerate(table.severities)
        }
        sets.update({table.clean: (16, 0.05)} if clean else {})
        for seed, (file, (points, noise)) in enumerate(sets.items()):
            clouds = _lines(labels, points, noise, seed)
            if file.endswith('.npy'):
                np.save(folder / file, clouds)
            else:
                with h5py.File(folder / file, 'w') as h5:
                    h5['data'], h5['label'] = clouds, labels[:, None]
        if table.labels:
            np.save(folder / table.labels, labels[:, None].astype(np.uint8))
        if marked:
            (folder / 'generated.json').write_text(
                json.dumps(dict(version=1, seed=0, source='TinyClouds'))
            )
        return folder

    return write


@pytest.fixture
def suite_result(tmp_path):
    """Make the predictions of one checkpoint on a suite up: right with a probability that falls
    with the severity.
    """
    from pcdet_kd.datasets.suites import CLEAN, SUITES
    from pcdet_kd.robustness.results import SetResult, SuiteResult

    def make(
        suite='modelnet-c',
        seed=0,
        accuracy=0.8,
        count=60,
        classes=('bag', 'night_stand', 'tv <b>'),
        generated=True,
        clean=True,
        **info,
    ):
        rng, gt = np.random.default_rng(seed), np.arange(count) % len(classes)
        sets = {}
        for name in SUITES[suite].sets[0 if clean else 1 :]:
            level = 0 if name[0] == CLEAN else 1 + SUITES[suite].severities.index(name[1])
            right = rng.random(count) < accuracy - 0.08 * level
            pred = np.where(right, gt, (gt + 1) % len(classes))
            score = rng.uniform(0.5, 1, count).astype(np.float32)
            worst = np.flatnonzero(~right)[:2]
            clouds = [rng.normal(size=(30, 3)).astype(np.float32) for _ in worst]
            sets[name] = SetResult(
                gt,
                pred,
                score,
                np.where(right, score, 1 - score).astype(np.float32),
                np.full(count, 30 + level),
                worst,
                clouds,
            )
        protocol = {
            'clouds': f'{count} in each of {len(sets)} sets',
            'sampling': 'none: whole clouds',
            'normalisation': 'none: the clouds as they are in the files',
            'votes': 'none: a single pass',
            'seed': '7',
        }
        run = dict(
            name='toy',
            config='configs/toy.py',
            checkpoint='toy/last.pth',
            sha256=f'{seed:064x}',
            parameters=1234,
            started='2026-01-02',
        )
        who = (
            'generated by pcdet_kd (generator 1, seed 0, from Toy): not the official files'
            if generated
            else 'unmarked'
        )
        about = dict(
            suite=suite,
            classes=list(classes),
            up_axis='y',
            provenance=who,
            generated=generated,
            notes=[],
            protocol=protocol,
            run=run,
            renormalize='none',
            key=str(seed),
            sets={name: 'same' for name in sets},
        )
        return SuiteResult(tmp_path / f'run_{seed}', about | info, sets)

    return make


@pytest.fixture
def browser(tmp_path):
    """Open a page in a headless browser without network: ``browser(path)`` returns the document
    after its scripts ran, ``browser(path, width, height)`` the picture (height, width, 3).
    """
    names = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip('no chromium found')
    run = [
        *(program, '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'),
        *('--disable-dev-shm-usage', f'--user-data-dir={tmp_path / "profile"}'),
        *('--host-resolver-rules=MAP * ~NOTFOUND', '--virtual-time-budget=3000'),
    ]

    def show(path, width=0, height=0):
        picture = tmp_path / 'seen.png'
        how = [f'--window-size={width},{height}', f'--screenshot={picture}'] if width else []
        done = subprocess.run(
            [*run, *(how or ['--dump-dom']), Path(path).as_uri()],
            capture_output=True,
            timeout=120,
            check=True,
        )
        return imread(picture)[..., :3] if width else done.stdout.decode()

    return show
