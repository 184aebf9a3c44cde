# Two views of each training cloud: as it is, and corrupted by shear, noise and size, then scaled
# and shifted (JGEKD's later code, DesenAT). The corruptions are among those of ModelNet40-C, and
# the other suites' are not seen in training.
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
