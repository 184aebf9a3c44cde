# Few labels: PointCMT's own two losses on all clouds.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40_few_labels.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
requires = dict(
    teacher='../pointcmt/mvcnn_small_modelnet40.py',
    generator='../pointcmt/generator_small_modelnet40.py',
)

student = _base_.student
model = dict(
    type='PointCMT',
    preset='released',
    losses=dict(
        feature=dict(loss_weight=1.0, normalize='centred'),
        classifier=dict(loss_weight=0.3, reduction='batchmean'),
    ),
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
