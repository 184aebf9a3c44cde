# The runtime of pre-training without labels: no validation, nothing is selected, the last epoch
# counts.
_base_ = './default_runtime.py'
default_hooks = dict(checkpoint=dict(save_best=None, rule=None))
