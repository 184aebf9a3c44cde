# PointNeXt's recipe for ScanObjectNN: AdamW for 250 epochs, cosine to 1e-4 in 200 of them, clipped
# gradients, smoothed labels. No weight decay on biases and norms.
_base_ = './_epochs.py'
max_epochs = 250
cosine_epochs = max_epochs * 4 // 5
lr = 2e-3
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=lr, weight_decay=0.05),
    clip_grad=dict(max_norm=10),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
param_scheduler = dict(
    type='CosineAnnealingLR', T_max=cosine_epochs, eta_min=1e-4, end=cosine_epochs, by_epoch=True
)
loss = dict(type='CrossEntropyLoss', label_smoothing=0.3, smoothing='others')
