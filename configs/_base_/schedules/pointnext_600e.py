# PointNeXt's recipe for ModelNet40: AdamW for 600 epochs, cosine to a thousandth of
# the learning rate, clipped gradients, smoothed labels. No weight decay on biases and norms.
_base_ = './_epochs.py'
max_epochs = 600
lr = 1e-3
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05),
    clip_grad=dict(max_norm=1),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
param_scheduler = dict(type='CosineAnnealingLR', T_max=max_epochs, eta_min=lr / 1000, by_epoch=True)
loss = dict(type='CrossEntropyLoss', label_smoothing=0.2, smoothing='others')
