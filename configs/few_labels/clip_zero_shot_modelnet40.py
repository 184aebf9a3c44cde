# No label at all: the student learns what CLIP says of images of the clouds and names of classes.
_base_ = [
    '../_base_/students/pointnet_small.py',
    '../_base_/teachers/clip_zero_shot.py',
    '../_base_/datasets/modelnet40_few_labels.py',
    '../_base_/schedules/adamw_cosine_10e.py',
    '../_base_/default_runtime.py',
]
labels = 0

student = _base_.student
model = dict(
    type='LogitKD',
    student=student,
    teachers=dict(
        main=dict(
            type='FeatureBank',
            teacher=_base_.teacher,
            data=_base_.bank_data,
            path='work_dirs/few_labels/clip_zero_shot_bank.pt',
        )
    ),
    losses=dict(logit=dict(type='LogitKDLoss', temperature=1.0, loss_weight=1.0)),
)
train_dataloader = dict(sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True))
