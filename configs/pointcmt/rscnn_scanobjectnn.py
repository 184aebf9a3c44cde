# PointCMT, stage III: an RS-CNN student on ScanObjectNN.
_base_ = [
    '../_base_/students/rscnn.py',
    '../_base_/teachers/mvcnn_resnet18.py',
    '../_base_/datasets/scanobjectnn.py',
    '../_base_/schedules/adam_200e_step21.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='mvcnn_resnet18_scanobjectnn.py', generator='generator_scanobjectnn.py')

# The student's head: one hidden layer as wide as the teacher's feature, then the linear layer that
# PointCMT trains twice.
student = _base_.student
student.head.update(num_classes=_base_.num_classes, hidden_channels=(512,), dropout=0.0, bias=False)
teacher = _base_.teacher
teacher.model.head.num_classes = _base_.num_classes
model = dict(
    type='PointCMT',
    preset='released',
    student=student,
    teachers=dict(image=dict(type='FeatureBank', teacher=teacher, data=_base_.bank_data)),
    helpers=dict(
        generator=dict(
            type='FrozenGenerator',
            checkpoint='stage:generator',
            model=dict(type='PointGenerator', preset='released', num_points=_base_.num_points),
        )
    ),
)
# The student's points are RS-CNN's; the teacher goes on seeing those that it was trained on.
train_pipeline = [
    dict(type='ShufflePoints'),
    dict(type='FarthestThenRandom', num_points=_base_.num_points, num_farthest=1200),
    *_base_.train_pipeline[1:3],
    dict(type='PackPointInputs'),
]
eval_pipeline = [
    dict(type='FarthestPoints', num_points=_base_.num_points),
    dict(type='PackPointInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
test_dataloader = dict(dataset=dict(pipeline=eval_pipeline))
custom_hooks = [dict(type='BatchNormMomentumHook', initial=0.9, factor=0.5, step=21, floor=0.01)]
