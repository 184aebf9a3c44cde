# CRD (Tian et al., ICLR 2020): tell a sample's image feature from those of 16,384 others. There are
# fewer of other classes, so they are drawn with replacement.
_base_ = 'hinton_views_pointnet2_msg_scanobjectnn.py'

embed = dict(type='Connector', in_channels=512, out_channels=128, unit_length=True)
model = dict(
    type='CRD',
    losses=dict(_delete_=True, contrast=dict(type='NoiseContrastLoss', loss_weight=0.8)),
    helpers=dict(
        student=embed,
        teacher=embed,
        memory=dict(
            type='ContrastMemory', channels=128, negatives=16384, temperature=0.07, momentum=0.5
        ),
    ),
)
