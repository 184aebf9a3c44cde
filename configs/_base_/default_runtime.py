default_scope = 'pcdet_kd'
runner_type = 'PointRunner'

# The Runner adds its other hooks itself; NAME=None leaves one out. The best epoch is the one with
# the best validation accuracy, unless a recipe sets another metric.
default_hooks = dict(
    checkpoint=dict(
        type='CheckpointHook', interval=1, max_keep_ckpts=2, save_best='accuracy', rule='greater'
    )
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=7200),
)  # gloo where there is no GPU; a feature bank may take an hour to fill

visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])

randomness = dict(seed=0, deterministic=False)
