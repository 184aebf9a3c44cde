# The runtime of part segmentation: the best epoch is the one with the best validation IoU.
_base_ = './default_runtime.py'
default_hooks = dict(checkpoint=dict(save_best='instance_miou', rule='greater'))
