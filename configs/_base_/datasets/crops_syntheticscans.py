# Crops of SyntheticScans: generated shapes, nothing to download. Cached after the first use.
_base_ = './_crops.py'
variant = 'OBJ_ONLY'  # OBJ_BG, PB_T50_RS
num_train = 900
num_points = 2048  # of a cloud, before it is cropped
data_seed = 0
num_workers = 0

data = dict(
    type='SyntheticScans',
    variant=variant,
    num_train=num_train,
    num_points=num_points,
    seed=data_seed,
)
