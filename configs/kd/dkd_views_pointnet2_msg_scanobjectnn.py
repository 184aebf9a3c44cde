# DKD (Zhao et al., CVPR 2022): the image teacher's logits, split by the label.
_base_ = 'hinton_views_pointnet2_msg_scanobjectnn.py'

loss = dict(type='DecoupledKDLoss', alpha=1.0, beta=8.0, temperature=4.0)
model = dict(losses=dict(logit=dict(_delete_=True, **loss)))
custom_hooks = [dict(type='LossWarmupHook', loss='logit', epochs=20, first=1)]
