# Few labels, on generated scans, in minutes: an image teacher that saw dense clouds and all labels
# teaches a student that sees sparse ones and has five labels a class. This is the demo.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/syntheticscans.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../pointcmt/mvcnn_resnet18_syntheticscans.py')
labels = 75
student_points = 128

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
