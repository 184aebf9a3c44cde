_base_ = ['../baseline/repsurf_2x_modelnet40.py', '../_base_/datasets/modelnet40c.py']
