# Few labels: JGEKD from an image teacher on all clouds.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40_few_labels.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../pointcmt/mvcnn_small_modelnet40.py')

student = _base_.student
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
