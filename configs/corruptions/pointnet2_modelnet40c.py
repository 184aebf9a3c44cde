_base_ = ['../baseline/pointnet2_modelnet40.py', '../_base_/datasets/modelnet40c.py']
