# AsymSD-CLS-S on ShapeNet: the class token across crops, no masks. Published: linear SVM 82.27 on
# PB_T50_RS, 91.78 on ModelNet40; fine-tuned 88.72 and 93.6 OA.
_base_ = './pretrain_s_shapenet55.py'

model = dict(
    student=dict(predictor=None),
    losses=dict(_delete_=True, cls=_base_.loss, koleo=dict(type='KoLeoLoss', loss_weight=0.01)),
)
custom_hooks = _base_.ema_hooks + _base_.cls_hooks
