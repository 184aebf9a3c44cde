# Attention transfer (Zagoruyko and Komodakis, ICLR 2017): PointMLP teaches PointMLP-elite where to
# look. Their four stages have the same points.
_base_ = 'hinton_pointmlp_elite_scanobjectnn.py'

loss = dict(type='AttentionTransferLoss', loss_weight=1000.0)
model = dict(
    type='AttentionKD',
    losses=dict(_delete_=True, attention=loss),
    stages=((0, 0), (1, 1), (2, 2), (3, 3)),
)
