# Crops of ShapeNet-55 (the files of Point-BERT's release in data_root), 8,192 points each. AsymDSD
# crops all 52,470 shapes; train_lists = ['train'] are the 41,952 of Point-MAE. Labels are not used.
_base_ = './_crops.py'
data_root = 'data/ShapeNet55-34'
train_lists = ['train', 'test']

data = dict(type='ShapeNet55', data_root=data_root, train_lists=train_lists)
