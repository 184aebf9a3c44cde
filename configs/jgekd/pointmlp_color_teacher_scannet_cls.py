# JGEtKD from colours: a multi-view ResNet-18 that sees colour views teaches PointMLP, which sees
# coordinates alone; a bank stores its outputs.
_base_ = [
    '../_base_/students/pointmlp.py',
    '../_base_/datasets/scannet_cls.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../pointcmt/mvcnn_resnet18_color_scannet_cls.py')

student = _base_.student
bank_pipeline = [*_base_.eval_pipeline[:-1], dict(type='PackPointInputs', features=('rgb',))]
model = dict(
    type='JGEKD',
    student=student,
    teachers=dict(
        main=dict(
            type='FeatureBank',
            teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
            data=_base_.bank_data,
        )
    ),
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=20)]
