_base_ = ['../baseline/pointnet_modelnet40.py', '../_base_/datasets/modelnetc.py']
