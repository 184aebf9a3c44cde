# JGEtKD: RepSurf-U 2x teaches a second RepSurf-U 2x, as in the published run (88.8 OA, 90.0 with
# votes, both of the best epoch on the test set).
_base_ = [
    '../_base_/students/repsurf_2x.py',
    '../_base_/datasets/scanobjectnn_repsurf.py',
    '../_base_/schedules/adam_250e_step.py',
    '../_base_/default_runtime.py',
]
requires = dict(teacher='../baseline/repsurf_2x_scanobjectnn.py')
batch_size = 64

student = _base_.student
model = dict(
    type='JGEKD',
    student=student,
    teachers=dict(main=dict(type='FrozenTeacher', checkpoint='stage:teacher')),
    losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
)
custom_hooks = [dict(type='LossWarmupHook', loss='graph', epochs=20)]
