default_scope = 'pcdet_kd'
runner_type = 'PointRunner'

# The best epoch is the best on the validation split; a recipe that validates by something else says
# so. The Runner adds its own (engine/runner.py); None at a name leaves a hook out.
default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    logger=dict(type='LoggerHook', interval=10),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='CheckpointHook', interval=1, max_keep_ckpts=2, save_best='accuracy', rule='greater'
    ),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=7200),
)  # gloo where there is no GPU; a feature bank may take an hour to fill

log_processor = dict(
    window_size=10, by_epoch=True, mean_pattern=r'.*(loss|stat|time|data_time|grad_norm).*'
)
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])

randomness = dict(seed=0, deterministic=False)
