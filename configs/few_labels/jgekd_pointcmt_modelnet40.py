# Few labels: JGEKD and PointCMT's two losses together, from one image teacher.
_base_ = 'pointcmt_modelnet40.py'

model = dict(
    _delete_=True,
    type='Combined',
    student=_base_.student,
    teachers=dict(image=_base_.model.teachers.image),
    methods=dict(
        jgekd=dict(
            type='JGEKD',
            teachers=dict(main='image'),
            losses=dict(graph=dict(type='JointGraphEntropyLoss', variant='entropy')),
        ),
        pointcmt=dict(
            type='PointCMT',
            preset='released',
            losses=_base_.model.losses,
            teachers=dict(image='image'),
            helpers=_base_.model.helpers,
        ),
    ),
)
