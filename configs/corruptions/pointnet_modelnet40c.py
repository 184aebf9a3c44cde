_base_ = ['../baseline/pointnet_modelnet40.py', '../_base_/datasets/modelnet40c.py']
