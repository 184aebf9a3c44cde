# The small form of AsymSD-CLS: no masks.
_base_ = './pretrain_tiny_modelnet40.py'

model = dict(
    student=dict(predictor=None),
    losses=dict(_delete_=True, cls=_base_.loss, koleo=dict(type='KoLeoLoss', loss_weight=0.01)),
)
custom_hooks = _base_.ema_hooks + _base_.cls_hooks
