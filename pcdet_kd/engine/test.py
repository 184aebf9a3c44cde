"""Testing as a function."""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.distributed import on_main, setup_distributed
from pcdet_kd.engine.runner import PointRunner
from pcdet_kd.engine.stages import plan, verify_files, work_dir_of
from pcdet_kd.registry import RUNNERS
from pcdet_kd.teachers import Frozen, Teacher
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights
from pcdet_kd.utils.student import is_distiller, student_config, student_weights, unwrapped

_ONLY_FOR_TRAINING = (
    'train_dataloader',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'val_dataloader',
    'val_cfg',
    'val_evaluator',
)


def test_runner(
    config: str | Path,
    checkpoint: str | Path,
    options: dict[str, Any] | None = None,
    *,
    work_dir: str | Path | None = None,
    votes: int = 0,
    tta: bool = False,
    out: str | Path | None = None,
    amp: bool = False,
    seed: int | None = None,
    verify_data: bool = False,
    launcher: str = 'none',
) -> PointRunner:
    """Return a Runner that holds a config's model with its weights, for testing; a distiller is
    tested as its student, without teachers.

    Args:
        config: The config's file.
        checkpoint: A run's checkpoint, or an exported student.
        options: As ``--cfg-options``.
        work_dir: Where logs, confusion matrix and predictions go; by default ``test`` in the
            directory where the config is trained.
        votes: Also average over so many scaled copies of each cloud, the first of them itself; 0
            for none.
        tta: Vote as the config's ``voting`` says, by default with 10.
        out: JSON file that gets every sample's prediction.
        amp: Mixed precision (bfloat16 on a CPU).
        seed: Seed.
        verify_data: Compare the data's files with the hashes that were written down the first time.
        launcher: ``none``, ``pytorch``, ``slurm`` or ``mpi``.

    Raises:
        UserError: What a person can put right: the config, the checkpoint, the data.
    """
    if votes == 1 or votes < 0:
        raise ConfigError('votes', [f'{votes}: must be at least 2; one vote is the plain test'])
    cfg = load_config(config, options)
    if cfg.get('requires') and not is_distiller(cfg.model):  # a generator looks at its teacher
        folder = Path(checkpoint).parent
        inside = folder if (folder / 'stages').is_dir() else None
        cfg = plan(config, options, work_dir=inside)[-1].resolved()
    cfg.launcher = launcher
    if seed is not None:
        cfg.randomness = {**(cfg.get('randomness') or {}), 'seed': seed}
    trained_in = cfg.get('work_dir') or work_dir_of(config)
    cfg.work_dir = str(work_dir or Path(trained_in, 'test'))
    cfg.model = student_config(cfg.model)
    if votes or tta:
        voting = cfg.get('voting') or dict(type='VotingTTA', num_votes=10)
        cfg.model = {**voting, 'module': cfg.model, **(dict(num_votes=votes) if votes else {})}
    _ask_for_details(cfg, config, out)
    for key in _ONLY_FOR_TRAINING:
        cfg.pop(key, None)
    if amp:
        cfg.test_cfg = {**(cfg.test_cfg or {}), 'fp16': True}
    setup_distributed(launcher, **(cfg.get('env_cfg') or {}).get('dist_cfg') or {})
    if verify_data:
        on_main(verify_files, [cfg])
    weights = student_weights(load_checkpoint_file(checkpoint), str(checkpoint))
    runner = RUNNERS.build(cfg)
    load_weights(unwrapped(runner.model), weights, source=str(checkpoint))
    for part in runner.model.modules():
        if isinstance(part, (Frozen, Teacher)):  # they have no weights in the checkpoint
            part.init_weights()
    return runner


def _ask_for_details(cfg: Config, source: str | Path, out: str | Path | None) -> None:
    """Let metrics write a table per class and, to ``out``, what they say of each sample; accuracy
    also a confusion matrix.
    """
    evaluators = cfg.test_evaluator
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    detailed = [e for e in evaluators if e['type'] in ('PointAccuracy', 'PartIoU')]
    for evaluator in detailed:
        evaluator['per_class'] = True
        if evaluator['type'] == 'PointAccuracy':
            evaluator['out_dir'] = cfg.work_dir
        if out:
            evaluator['dump'] = str(Path(out).absolute())
    if out and not detailed:
        problem = (
            'test_evaluator: --out needs a PointAccuracy or a PartIoU, which know the predictions'
        )
        raise ConfigError(source, [problem])
