# Two views of each training cloud: the clean one, and one corrupted by shear, noise and size, then
# scaled and shifted (JGEKD's later code, DesenAT). Shear and Gaussian noise are also in
# ModelNet40-C.
_base_ = './scanobjectnn.py'

train_pipeline = [
    *_base_.eval_pipeline[:-1],
    dict(type='ShufflePoints'),
    dict(
        type='SiameseViews',
        view_2=[
            dict(type='RandomCorruptions', preset='spt'),
            dict(type='RandomScale', low=2 / 3, high=3 / 2),
            dict(type='RandomShift', max_shift=0.2),
        ],
    ),
    dict(type='PackPointInputs', keys=('points', 'points_2')),
]
