# A pre-trained small AsymDSD as the student of PointCMT, stage III. Not a published recipe.
_base_ = [
    '../_base_/students/asymdsd_tiny.py',
    '../_base_/datasets/modelnet40_asymdsd.py',
    '../_base_/schedules/adamw_cosine_25e.py',
    '../_base_/default_runtime.py',
]
requires = dict(
    pretrain='pretrain_tiny_modelnet40.py',
    teacher='../pointcmt/mvcnn_resnet18_modelnet40.py',
    generator='../pointcmt/generator_modelnet40.py',
)
num_points = 256
lr = 5e-4
bank_pipeline = [dict(type='UnitSphere'), dict(type='PackPointInputs')]  # y up, as the teacher's

student = _base_.student
student.backbone.init_cfg = dict(type='PretrainedBackbone', checkpoint='stage:pretrain')
student.head.update(hidden_channels=(512,), dropout=0.0)
model = dict(
    type='PointCMT',
    preset='released',
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
