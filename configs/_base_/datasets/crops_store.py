# Crops of a store that `pcdet-kd pack` has made (data_root), of any size and from any source.
_base_ = './_crops.py'
data_root = 'data/store'

data = dict(type='PointStore', data_root=data_root)
