# Few labels without a teacher: the average of the student's own weights teaches it on all clouds
# (Tarvainen and Valpola, 2017). A control: what the unlabelled clouds give by themselves.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/datasets/modelnet40_few_labels.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]


student = _base_.student
model = dict(
    type='LogitKD',
    student=student,
    teachers=dict(main=dict(type='EMATeacher', momentum=0.99)),
    losses=dict(logit=dict(type='LogitKDLoss', temperature=1.0, loss_weight=1.0)),
)
custom_hooks = [dict(type='LossWarmupHook', loss='logit', epochs=3)]
