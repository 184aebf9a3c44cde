# PointCMT in minutes, stage III: a small PointNet student on generated data. This is the demo.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/syntheticscans.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='mvcnn_resnet18_syntheticscans.py', generator='generator_syntheticscans.py')

student = _base_.student
# The published weights (30, and 0.3 on a sum) are meant for 1,000 epochs; in 25 epochs they are too
# large next to the loss on the labels.
model = dict(
    type='PointCMT',
    preset='released',
    losses=dict(feature=dict(loss_weight=1.0), classifier=dict(reduction='batchmean')),
    student=student,
    teachers=dict(
        image=dict(
            type='FeatureBank',
            teacher=dict(type='FrozenTeacher', checkpoint='stage:teacher'),
            data=_base_.bank_data,
        )
    ),
    helpers=dict(generator=dict(type='FrozenGenerator', checkpoint='stage:generator')),
)
