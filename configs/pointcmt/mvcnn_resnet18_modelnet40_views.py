# PointCMT, stage I: the multi-view image teacher on rendered views, by the released code's recipe.
_base_ = [
    '../_base_/datasets/modelnet40_views.py',
    '../_base_/teachers/mvcnn_resnet18_views.py',
    '../_base_/schedules/adam_50e.py',
    '../_base_/default_runtime.py',
]

model = _base_.teacher
train_pipeline = eval_pipeline = _base_.views_pipeline
# The released code sums the gradients of four batches, MMEngine averages them. With Adam both are
# the same if the weight decay is a quarter of the code's 1e-4.
optim_wrapper = dict(accumulative_counts=4, optimizer=dict(weight_decay=1e-4 / 4))
