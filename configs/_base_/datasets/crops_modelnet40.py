# Crops of ModelNet40's training shapes, 2,048 points each (the files of modelnet40_ply_hdf5_2048
# in data_root). Labels are not used.
_base_ = './_crops.py'
data_root = 'data/modelnet40_ply_hdf5_2048'

data = dict(type='ModelNet40', data_root=data_root)
